"""Identities, not shapes."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData

from mmcico.models import ClipTracker, GreedyMatching, HungarianMatching, TrackState
from mmcico.models.trackers import EmbeddingRecall
from mmcico.models.trackers.clip_tracker import shared_frames
from mmcico.models.vis.data_samples import mean_overlap


def clip_of(frame_ids, objects=(0, 1), size=24):
    """Squares: object k starts at column 8 k and goes down a row a frame."""
    num, steps = len(objects), len(frame_ids)
    masks = torch.zeros(num, steps, size, size)
    boxes = torch.zeros(num, steps, 4)
    for n, k in enumerate(objects):
        for t, f in enumerate(frame_ids):
            masks[n, t, f : f + 6, 8 * k : 8 * k + 6] = 0.9
            boxes[n, t] = torch.tensor([8.0 * k, f, 8 * k + 6, f + 6])
    return InstanceData(
        bboxes=boxes,
        masks=masks,
        embeds=F.one_hot(torch.tensor(objects, dtype=torch.long), 8).float(),
        scores=torch.full((num,), 0.8),
        labels=torch.tensor(objects, dtype=torch.long),
    )


def run(tracker, clips):
    """Ids of every clip of a video, each (frame_ids, objects)."""
    state, ids = TrackState(), []
    for frame_ids, objects in clips:
        state, clip = tracker.step(state, clip_of(frame_ids, objects), frame_ids)
        ids.append(clip.instances_id.tolist())
    return ids


@pytest.fixture(params=['mmcico.GreedyMatching', 'mmcico.HungarianMatching'])
def tracker(request):
    return ClipTracker(matching=dict(type=request.param))


def test_ids_follow_objects_when_rows_swap(tracker):
    ids = run(tracker, [((0, 1, 2), (0, 1)), ((2, 3, 4), (1, 0))])
    assert ids == [[0, 1], [1, 0]]


def test_ids_follow_objects_without_shared_frames(tracker):
    ids = run(tracker, [((0, 1), (0, 1)), ((2, 3), (1, 0))])
    assert ids == [[0, 1], [1, 0]]


def test_a_new_object_gets_a_new_id(tracker):
    ids = run(tracker, [((0, 1, 2), (0,)), ((2, 3, 4), (2, 0)), ((4, 5, 6), (0, 1, 2))])
    assert ids == [[0], [1, 0], [0, 2, 1]]


@pytest.mark.parametrize('moved, expected', [(6.0, 1), (5.0, 0)])
def test_looks_alone_are_not_above_the_default_threshold(moved, expected):
    first, second = (clip_of((f, f), (0,)) for f in (0, 0))
    second.bboxes[..., 0::2] += moved
    second.masks = second.masks.roll(6, -1)
    second.labels += 1  # ties go to the same class by a hair
    tracker = ClipTracker()
    state, _ = tracker.step(TrackState(), first, (0, 1))
    # the embedding gives 1, the boxes 0 or 6 / 66
    _, clip = tracker.step(state, second, (2, 3))
    assert clip.instances_id.tolist() == [expected]


def test_the_paper_remembers_the_previous_clip_only(tracker):
    ids = run(tracker, [((0, 1, 2), (0, 1)), ((2, 3, 4), (0,)), ((4, 5, 6), (0, 1))])
    assert ids == [[0, 1], [0], [0, 2]]


RECALL = dict(type='mmcico.EmbeddingRecall', min_similarity=0.5)


def test_recall_finds_a_lost_object_by_its_embedding():
    tracker = ClipTracker(memory=3, recall=RECALL)
    ids = run(tracker, [((0, 1, 2), (0, 1)), ((2, 3, 4), (0,)), ((4, 5, 6), (0, 1))])
    assert ids == [[0, 1], [0], [0, 1]]
    ids = run(
        tracker, [((0, 1), (1,))] + [((t, t + 1), (0,)) for t in range(1, 5)] + [((5, 6), (1,))]
    )
    assert ids[-1] == [2]  # four clips were too many


def test_empty_clips_do_not_use_up_ids(tracker):
    ids = run(tracker, [((0, 1, 2), ()), ((2, 3, 4), (0,)), ((4, 5, 6), ()), ((6, 7, 8), (0,))])
    assert ids == [[], [0], [], [1]]


def test_videos_can_take_turns(tracker):
    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (1, 2)), ((4, 5, 6), (2, 1))]
    alone = run(tracker, clips)
    states = [TrackState(), TrackState()]
    for (frame_ids, objects), expected in zip(clips, alone):
        for video in range(2):
            states[video], clip = tracker.step(
                states[video], clip_of(frame_ids, objects), frame_ids
            )
            assert clip.instances_id.tolist() == expected


def test_memory_does_not_grow_with_the_video():
    tracker = ClipTracker(memory=2, match_thr=10.0)  # nothing ever matches
    state = TrackState()
    for start in range(0, 15, 2):
        frame_ids = (start, start + 1, start + 2)
        state, _ = tracker.step(state, clip_of(frame_ids), frame_ids)
    assert state.next_id == 16
    assert len(state.tracks) == 4


def test_match_score_by_hand():
    tracker = ClipTracker(embed_weight=1, mask_weight=10, box_weight=100, score_weight=1000)
    state, _ = tracker.step(TrackState(), clip_of((0, 1), (0,)), (0, 1))
    clip = clip_of((2, 3), (0, 1))
    clip.masks[0, :, :, 3:] = 0
    score = tracker.match_score(state, clip, (2, 3))
    # one row further down: 30 of 42 pixels in boxes; half the width: 15 of 39 pixels in masks
    same = 1 + 10 * 15 / 39 + 100 * 30 / 42 + 800
    assert score[0, 0].item() == pytest.approx(same)
    assert score[1, 0].item() == pytest.approx(0.5 + 800)


def test_greedy_and_hungarian_differ_where_they_should():
    score = torch.tensor([[0.9, 0.8], [0.8, 0.1]])
    rows, cols = GreedyMatching()(score, 0.0)
    assert list(zip(rows.tolist(), cols.tolist())) == [(0, 0), (1, 1)]
    rows, cols = HungarianMatching()(score, 0.0)
    assert list(zip(rows.tolist(), cols.tolist())) == [(0, 1), (1, 0)]
    rows, cols = GreedyMatching()(score, 0.5)
    assert list(zip(rows.tolist(), cols.tolist())) == [(0, 0)]


def test_shared_frames():
    assert shared_frames((0, 1, 2), (2, 3, 4)) == ([2], [0])
    assert shared_frames((0, 1, 2), (1, 2, 3)) == ([1, 2], [0, 1])
    assert shared_frames((0, 1, 2), (3, 4, 5)) == ([-1], [0])


def test_mean_overlap_touches_shared_frames_of_old_tracks_only():
    tracker = ClipTracker()
    before, _ = tracker.step(TrackState(), clip_of((0, 1, 2), (0,)), (0, 1, 2))
    later = clip_of((2, 3, 4), (1, 0))
    later.masks = later.masks * 0.5
    _, later = tracker.step(before, later, (2, 3, 4))
    masks = mean_overlap(before, later, (2, 3, 4))
    assert torch.equal(masks[0], later.masks[0])  # new
    assert torch.equal(masks[1, 1:], later.masks[1, 1:])
    assert masks[1, 0].max().item() == pytest.approx((0.9 + 0.45) / 2)
    assert torch.equal(masks[1, 0] > 0.5, later.masks[1, 0] > 0)  # of one frame, in one place


def test_mean_overlap_goes_back_to_the_clip_a_track_was_seen_in():
    tracker = ClipTracker(memory=3, recall=RECALL)
    state, _ = tracker.step(TrackState(), clip_of((0, 1, 2), (0, 1)), (0, 1, 2))
    state, _ = tracker.step(state, clip_of((1, 2, 3), (0,)), (1, 2, 3))
    later = clip_of((2, 3, 4), (1,))
    later.masks = later.masks * 0.5
    _, later = tracker.step(state, later, (2, 3, 4))
    assert later.instances_id.tolist() == [1]
    masks = mean_overlap(state, later, (2, 3, 4))
    peaks = masks[0].flatten(1).max(dim=1)[0].tolist()
    assert peaks == pytest.approx([(0.9 + 0.45) / 2, 0.45, 0.45])


def test_mean_overlap_of_a_clip_that_repeats_its_frames():
    tracker = ClipTracker()
    state, _ = tracker.step(TrackState(), clip_of((4, 5, 6), (0,)), (4, 5, 6))
    later = clip_of((6, 7, 6), (0,))
    later.masks = later.masks * 0.5
    state_after, later = tracker.step(state, later, (6, 7, 6))
    masks = mean_overlap(state, later, (6, 7, 6))
    peaks = masks[0].flatten(1).max(dim=1)[0].tolist()
    assert peaks == pytest.approx([(0.9 + 0.45) / 2, 0.45, 0.45])
    # what is remembered is not averaged: errors must not add up
    assert state_after.tracks.masks.max().item() == pytest.approx(0.45)
    last = clip_of((7, 7, 7), (0,))
    _, last = tracker.step(state_after, last, (7, 7, 7))
    masks = mean_overlap(state_after, last, (7, 7, 7))
    peaks = masks[0].flatten(1).max(dim=1)[0].tolist()
    assert peaks == pytest.approx([(0.9 + 0.45) / 2, 0.9, 0.9])


def test_lost_tracks_are_compared_on_the_frames_they_were_seen_in():
    tracker = ClipTracker(memory=2, embed_weight=0)
    state, _ = tracker.step(TrackState(), clip_of((0, 1, 2), (0,)), (0, 1, 2))
    state, _ = tracker.step(state, clip_of((1, 2, 3), ()), (1, 2, 3))
    score = tracker.match_score(state, clip_of((2, 3, 4), (0,)), (2, 3, 4))
    assert score.item() == pytest.approx(2, abs=1e-3)  # frame 2 in both
    score = tracker.match_score(state, clip_of((3, 4, 5), (0,)), (3, 4, 5))
    assert score.item() == pytest.approx(2 * 30 / 42, abs=1e-3)


def test_a_recalled_object_may_be_anywhere_but_must_look_alike():
    tracker = ClipTracker(memory=3, recall=RECALL)
    state, _ = tracker.step(TrackState(), clip_of((0, 1), (0, 1)), (0, 1))
    state, _ = tracker.step(state, clip_of((2, 3), ()), (2, 3))
    moved = clip_of((4, 5), (2, 2))  # where neither of them was
    moved.labels = torch.tensor([0, 1])
    moved.embeds = torch.zeros(2, 8)
    moved.embeds[0, 0] = 1.0  # looks of 0
    moved.embeds[1, 7] = 1.0  # looks of none, class of 1
    _, clip = tracker.step(state, moved, (4, 5))
    assert clip.instances_id.tolist() == [0, 2]


def test_recall_by_hand():
    lost = InstanceData(embeds=torch.tensor([[1.0, 0], [0, 1]]), labels=torch.tensor([3, 4]))
    found = InstanceData(embeds=torch.tensor([[0.6, 0.8], [0.8, 0.6]]), labels=torch.tensor([4, 4]))
    pairs = EmbeddingRecall(0.5)(found, lost)
    assert [each.tolist() for each in pairs] == [[0, 1], [1, 0]]
    # .8 + .3 for the first, then .8 for the second
    pairs = EmbeddingRecall(0.81, label_weight=0.3)(found, lost)
    assert [each.tolist() for each in pairs] == [[0], [1]]
    empty = EmbeddingRecall(0.5)(found[:0], lost)
    assert [each.tolist() for each in empty] == [[], []]


def test_momentum_keeps_a_running_mean_of_unit_length():
    tracker = ClipTracker(momentum=0.75)
    state, _ = tracker.step(TrackState(), clip_of((0, 1, 2), (0,)), (0, 1, 2))
    turned = clip_of((2, 3, 4), (0,))
    turned.embeds = turned.embeds.roll(1, dims=1)
    state, clip = tracker.step(state, turned, (2, 3, 4))
    assert clip.instances_id.tolist() == [0]
    expected = torch.tensor([0.75, 0.25]) / 0.625**0.5
    assert torch.allclose(state.tracks.embeds[0, :2], expected)
    assert clip.embeds[0].tolist() == turned.embeds[0].tolist()


def test_an_object_found_twice_is_left_out_when_told():
    first, twice = clip_of((0, 1, 2), (0, 1)), clip_of((2, 3, 4), (1, 0, 0))
    for drop, expected in ((True, [1, 0]), (False, [1, 0, 2])):
        tracker = ClipTracker(drop_runner_ups=drop)
        state, _ = tracker.step(TrackState(), first[:], (0, 1, 2))
        state, clip = tracker.step(state, twice[:], (2, 3, 4))
        assert clip.instances_id.tolist() == expected
        assert state.next_id == len(expected)
        assert len(clip.masks) == len(expected)


@pytest.mark.parametrize('recall', [None, RECALL])
def test_half_precision_links_as_full_precision_does(tracker, recall):
    """Also where the class alone decides between two equal instances."""
    if recall is not None:
        tracker = ClipTracker(memory=3, recall=recall)
    clips = [clip_of((t, t + 1, t + 2), (0, 0)) for t in (0, 2, 4)]
    for clip, labels in zip(clips, ((3, 5), (5, 3), (3, 5))):
        clip.labels = torch.tensor(labels)
    state, ids = TrackState(), []
    with torch.autocast('cpu', dtype=torch.bfloat16):
        for t, clip in zip((0, 2, 4), clips):
            state, clip = tracker.step(state, clip, (t, t + 1, t + 2))
            ids.append(clip.instances_id.tolist())
        score = tracker.match_score(state, clips[0], (0, 1, 2))
    assert ids == [[0, 1], [1, 0], [0, 1]]
    assert score.dtype == torch.float


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match='memory=1'):
        ClipTracker(recall=RECALL)
    with pytest.raises(ValueError, match='momentum'):
        ClipTracker(momentum=1.0)


def test_seen_in():
    state = TrackState(frame_ids=(0, 1))
    assert (state.seen_in(0), state.seen_in(1)) == ((0, 1), ())
    state = TrackState(frame_ids=(0, 1), clips=((2, 3), (0, 1)))
    assert state.seen_in(0) == (2, 3)
    assert state.seen_in(1) == (0, 1)
    assert state.seen_in(2) == ()


def test_memory_must_be_a_clip_at_least():
    with pytest.raises(ValueError, match='memory'):
        ClipTracker(memory=0)
