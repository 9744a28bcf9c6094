"""Linking by evidence: identities, scores, classes and filled gaps."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData

from mmcico.models import EvidenceTracker, PairEvidence, TrackState
from mmcico.models.trackers.evidence_tracker import clips_of_a_frame
from mmcico.models.trackers.matching import shared_frames
from mmcico.structures.clip_boxes import circumscribed_boxes

SIZE = 24


def clip_of(frame_ids, objects=(0, 1), score=0.8, prob=0.9, labels=None):
    """Squares: object k starts at column 8 k and goes down a row a frame."""
    num, steps = len(objects), len(frame_ids)
    masks = torch.zeros(num, steps, SIZE, SIZE)
    boxes = torch.zeros(num, steps, 4)
    for n, k in enumerate(objects):
        for t, f in enumerate(frame_ids):
            masks[n, t, f : f + 6, 8 * k : 8 * k + 6] = prob
            boxes[n, t] = torch.tensor([8.0 * k, f, 8 * k + 6, f + 6])
    labels = torch.tensor(objects if labels is None else labels, dtype=torch.long)
    scores = torch.full((num,), score)
    return InstanceData(
        bboxes=boxes,
        circumscribed=circumscribed_boxes(boxes),
        masks=masks,
        mask_params=torch.tensor(objects, dtype=torch.float)[:, None],
        embeds=F.one_hot(torch.tensor(objects, dtype=torch.long), 8).float(),
        scores=scores,
        labels=labels,
        class_scores=F.one_hot(labels, 8) * scores[:, None],
    )


def drawing(frame_ids, prob=0.7):
    """Draw the squares where they are in the frames of a clip; parameters are their numbers."""

    def draw(params, boxes):
        return clip_of(frame_ids, params[:, 0].long().tolist(), prob=prob).masks

    return draw


def nothing(frame_ids):
    """Draw empty masks."""
    return lambda params, boxes: torch.zeros(len(params), len(frame_ids), SIZE, SIZE)


def run(tracker, clips, draw=drawing, **kwargs):
    """Link (frame_ids, objects) one after the other; return the state and all clips."""
    state, linked = TrackState(), []
    for frame_ids, objects in clips:
        found = clip_of(frame_ids, objects, **kwargs)
        state, clip = tracker.step(state, found, frame_ids, draw(frame_ids))
        linked.append(clip)
    return state, linked


def visible(clip):
    """Ids of the instances of a clip that have a mask."""
    return clip.instances_id[(clip.masks > 0.5).flatten(1).any(dim=1)].tolist()


def test_shared_frames_by_hand():
    known = torch.tensor([[0, 1, 2], [3, 4, 5], [1, 2, 2]])
    place, shared = shared_frames(known, torch.tensor([2, 3, 4]))
    assert place.tolist() == [[2, 2, 2], [2, 0, 1], [1, 2, 2]]
    assert shared.tolist() == [[True, False, False], [False, True, True], [True, False, False]]


def test_log_odds_by_hand():
    weights = dict(bias=1.0, mask=10.0, redrawn=100.0, embed=1000.0, label=10000.0)
    evidence = PairEvidence(shared=weights)
    found, tracks = clip_of((2, 3, 4), (0, 1)), clip_of((0, 1, 2), (0,))
    found.votes = torch.tensor([[0.5, 1.5], [1.0, 0.0]])
    tracks.votes, tracks.frames = torch.tensor([[4.0, 0.0]]), torch.tensor([[0, 1, 2]])
    tracks.age = torch.tensor([0])
    tracks.redrawn = clip_of((3, 4, 5), (0,)).masks  # one row of seven lower: 30 of 42 pixels
    odds = evidence(found, tracks, torch.tensor([2, 3, 4]))
    expected = [1 + 10 + 100 * 30 / 42 + 1000 + 2500, 1 + 10000]
    torch.testing.assert_close(odds, torch.tensor(expected)[:, None])


@pytest.mark.parametrize(
    'age, frames, bias',
    [(0, (1, 2, 3), 1), (0, (5, 6, 7), 2), (2, (5, 6, 7), 3), (2, (2, 3, 4), 1)],
)
def test_weights_follow_what_is_known_of_a_track(age, frames, bias):
    zero = dict.fromkeys(('mask', 'redrawn', 'embed', 'label'), 0.0)
    evidence = PairEvidence(*(dict(zero, bias=float(value)) for value in (1, 2, 3)))
    found, tracks = clip_of(frames, (0,)), clip_of((0, 1, 2), (0,))
    found.votes = tracks.votes = torch.ones(1, 2)
    tracks.frames, tracks.age = torch.tensor([[0, 1, 2]]), torch.tensor([age])
    tracks.redrawn = tracks.masks
    assert evidence(found, tracks, torch.tensor(frames)).item() == bias


def test_tracks_are_redrawn_only_if_the_masks_are_used():
    drawn = []

    def noted(frame_ids):
        def draw(params, boxes):
            drawn.append(params[:, 0].tolist())
            return drawing(frame_ids)(params, boxes)

        return draw

    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (0, 1)), ((4, 5, 6), (0,))]
    run(EvidenceTracker(), clips, noted)
    assert drawn == [[1]]
    drawn.clear()
    run(EvidenceTracker(dict(type='mmcico.PairEvidence', shared=dict(redrawn=1.0))), clips, noted)
    assert drawn == [[0, 1], [0, 1], [1]]


def test_ids_follow_objects_whatever_the_order_of_rows():
    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (1, 0)), ((5, 6, 7), (0, 1))]
    _, linked = run(EvidenceTracker(), clips)
    assert [clip.instances_id.tolist() for clip in linked] == [[0, 1], [1, 0], [0, 1]]


def test_the_score_counts_clips_that_missed_the_object():
    clips = [((0, 1, 2), (0,)), ((2, 3, 4), (0,)), ((4, 5, 6), ()), ((6, 7, 8), (0,))]
    _, linked = run(EvidenceTracker(prior=1.0), clips)
    scores = torch.cat([clip.scores for clip in linked])
    # one clip without a score, 1.5 of them once one of two frames is seen to be shared
    expected = torch.tensor([1 / 2, 2 / 3.5, 2 / 4.5, 3 / 5.5]) * 0.8**0.5
    torch.testing.assert_close(scores, expected)
    assert visible(linked[2]) == [0]


def test_the_score_of_a_clip_is_the_mean_of_its_class_score_and_the_stability_of_its_masks():
    frames = (0, 1, 2)
    clip = clip_of(frames, (0, 1), score=0.8)
    # of 36 pixels a frame, 18 are not above 0.5 + 0.3, and 6 of these not above 0.5 - 0.3
    for t in frames:
        clip.masks[0, t, t : t + 3, :6] = 0.75
        clip.masks[0, t, t, :6] = 0.15
    _, clip = EvidenceTracker(prior=0.0).step(TrackState(), clip, frames, nothing(frames))
    expected = torch.tensor([(0.8 * 18 / 30) ** 0.5, 0.8**0.5])
    torch.testing.assert_close(clip.scores, expected)


def test_clips_that_disagree_on_a_shared_frame_lower_the_score():
    tracker, state = EvidenceTracker(prior=0.0, birth_score=0.0), TrackState()
    totals = []
    for frames, prob in (((0, 1, 2), 0.6), ((2, 3, 4), 0.9)):
        clip = clip_of(frames, (0,), prob=prob)
        state, clip = tracker.step(state, clip, frames, nothing(frames))
        totals.append(state.tracks.total.item())
    # 0.6 is below 0.8 in all 108 pixels; then the mean 0.75 is below it in one frame of three
    first = (0.8 * 0.5 / 108) ** 0.5
    assert totals == pytest.approx([first, first + (0.8 * 2 / 3) ** 0.5])


def tentative(linked):
    """Ids of the tracks of each clip that are not confirmed yet."""
    return [clip.instances_id[clip.tentative].tolist() for clip in linked]


def test_a_weak_track_is_tentative_until_it_is_confirmed():
    clips = [((0, 1, 2), (0,)), ((3, 4, 5), (0,))]
    tracker = EvidenceTracker(birth_score=0.5, confirm=2)
    state, linked = run(tracker, clips, score=0.4**2)
    assert tentative(linked) == [[0], []]
    _, linked = run(tracker, clips, score=0.5**2)
    assert tentative(linked) == [[], []]
    _, linked = run(tracker, [((0, 1, 2), (0,)), ((3, 4, 5), ())], score=0.4**2)
    assert tentative(linked) == [[0], [0]]


@pytest.mark.parametrize('overlap, first_confirmed', [(0, 1), (1, 2), (2, 5)])
def test_clips_that_share_frames_confirm_less(overlap, first_confirmed):
    starts = range(0, 6 * (3 - overlap), 3 - overlap)
    clips = [((start, start + 1, start + 2), (0,)) for start in starts]
    _, linked = run(EvidenceTracker(birth_score=0.5, confirm=2), clips, score=0.4**2)
    assert tentative(linked) == [[0]] * first_confirmed + [[]] * (6 - first_confirmed)


def test_clips_of_a_frame():
    assert clips_of_a_frame((0, 1, 2), ()) == 1
    assert clips_of_a_frame((2, 3, 4), [(0, 1, 2)]) == 1.5
    assert clips_of_a_frame((2, 3, 4), [(1, 2, 3), (0, 1, 2)]) == 3
    assert clips_of_a_frame((4, 5, 6), [(3, 4, 5), (0, 1, 2)]) == 1  # the last clip, moved back
    assert clips_of_a_frame((0, 0), [(0, 0)]) == 2


def test_an_object_that_is_found_twice_is_one_track_of_the_class_with_most_votes():
    tracker, state = EvidenceTracker(), TrackState()
    ids, labels = [], []
    for frames, classes in (((0, 1, 2), (3, 4)), ((2, 3, 4), (4, 3)), ((4, 5, 6), (4, 3))):
        clip = clip_of(frames, (0, 0), labels=classes)
        clip.scores = torch.tensor([0.8, 0.7])
        clip.class_scores = F.one_hot(clip.labels, 8) * clip.scores[:, None]
        state, clip = tracker.step(state, clip, frames, nothing(frames))
        ids.append(clip.instances_id.tolist())
        labels.append(clip.labels.tolist())
    assert ids == [[0], [0], [0]]
    assert labels == [[3], [3], [4]]  # 0.8 : 0, 0.8 : 0.8, 0.8 : 1.6


def test_masks_of_shared_frames_are_averaged():
    tracker, state = EvidenceTracker(), TrackState()
    for frames, prob in (((0, 1, 2), 0.6), ((1, 2, 3), 0.9), ((2, 3, 4), 0.9)):
        state, clip = tracker.step(state, clip_of(frames, (0,), prob=prob), frames, nothing(frames))
    torch.testing.assert_close(clip.masks.amax((0, 2, 3)), torch.tensor([0.8, 0.9, 0.9]))
    # pairs are compared by the masks of one clip
    torch.testing.assert_close(state.tracks.masks.amax((0, 2, 3)), torch.full((3,), 0.9))


def test_a_gap_is_filled_from_shared_frames_and_prototypes():
    frames = (2, 3, 4)
    _, linked = run(EvidenceTracker(), [((0, 1, 2), (0, 1)), (frames, (1,))])
    clip = linked[1]
    assert clip.instances_id.tolist() == [1, 0]
    peaks = clip.masks[1].amax((1, 2))
    torch.testing.assert_close(peaks, torch.tensor([0.9, 0.7, 0.7]))
    assert torch.equal(clip.masks[1] > 0.5, clip_of(frames, (0,)).masks[0] > 0.5)


def test_a_gap_is_not_filled_elsewhere_or_on_others():
    def on_the_other(frame_ids):
        return lambda params, boxes: clip_of(frame_ids, (1,) * len(params)).masks

    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (1,))]
    for draw in (nothing, on_the_other):
        _, linked = run(EvidenceTracker(), clips, draw)
        assert visible(linked[1]) == [1]
    # masks on the other object
    _, linked = run(EvidenceTracker(fill_iou=-1.0), clips[:1] + [((3, 4, 5), (1,))], on_the_other)
    assert visible(linked[1]) == [1]
    # drawn nine rows lower than it was
    _, linked = run(EvidenceTracker(), [((0, 1), (0,)), ((9, 10), ())])
    assert visible(linked[1]) == []


def test_a_gap_is_filled_for_some_clips_only():
    clips = [((0, 0, 0), (0,))] + [((0, 0, 0), ())] * 4
    _, linked = run(EvidenceTracker(fill=2), clips)
    assert [visible(clip) for clip in linked] == [[0], [0], [0], [], []]


def test_a_lost_object_comes_back_by_place_and_looks():
    clips = [((0, 1, 2), (0, 1))] + [((2, 3, 4), (1,))] * 3 + [((3, 4, 5), (0, 1))]
    state, linked = run(EvidenceTracker(), clips)
    assert linked[-1].instances_id.tolist() == [0, 1]
    state, linked = run(EvidenceTracker(memory=3), clips)
    assert linked[-1].instances_id.tolist() == [2, 1]


def test_videos_can_take_turns_and_states_stay_as_they_are():
    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (1, 2)), ((4, 5, 6), (2, 1)), ((6, 7, 8), ())]
    tracker = EvidenceTracker()
    _, alone = run(tracker, clips)
    states = [TrackState(), TrackState()]
    for (frames, objects), expected in zip(clips, alone):
        for video in range(2):
            before = states[video]
            states[video], clip = tracker.step(
                before, clip_of(frames, objects), frames, nothing(frames)
            )
            _, again = tracker.step(before, clip_of(frames, objects), frames, nothing(frames))
            for linked in (clip, again):
                assert linked.instances_id.tolist() == expected.instances_id.tolist()
                torch.testing.assert_close(linked.scores, expected.scores)


def test_the_order_of_rows_changes_nothing():
    clips = [((0, 1, 2), (0, 1, 2)), ((2, 3, 4), (2, 0)), ((4, 5, 6), (1, 0, 2))]
    tracker = EvidenceTracker()
    states = [TrackState(), TrackState()]
    for frames, objects in clips:
        found = []
        for video, order in enumerate((objects, objects[::-1])):
            clip = clip_of(frames, order)
            clip.scores = 0.5 + clip.labels / 10  # no ties
            states[video], clip = tracker.step(states[video], clip, frames, drawing(frames))
            order = clip.instances_id.argsort()
            found.append(clip[order])
        for key in ('instances_id', 'scores', 'masks', 'labels', 'embeds'):
            assert torch.equal(found[0][key], found[1][key])


def test_memory_does_not_grow_with_the_video():
    never = dict.fromkeys(('shared', 'apart', 'missed'), dict(bias=-1e4))
    tracker = EvidenceTracker(memory=2, evidence=dict(type='mmcico.PairEvidence', **never))
    state, _ = run(tracker, [((t, t + 1, t + 2), (0, 1)) for t in range(0, 15, 2)])
    assert state.next_id == 16
    assert len(state.tracks) == 4
    assert len(state.clips) == 2


def test_clips_without_instances():
    state, linked = run(EvidenceTracker(), [((0, 1, 2), ()), ((2, 3, 4), (0,)), ((4, 5, 6), ())])
    assert [clip.instances_id.tolist() for clip in linked] == [[], [0], [0]]
    assert state.next_id == 1


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match='memory'):
        EvidenceTracker(memory=0)
    with pytest.raises(ValueError, match='momentum'):
        EvidenceTracker(momentum=1.0)
    with pytest.raises(ValueError, match='masks'):
        PairEvidence(shared=dict(masks=1.0))
