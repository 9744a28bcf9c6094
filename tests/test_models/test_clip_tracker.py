"""Identities, not shapes."""
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData

from mmcico.models import (ClipTracker, GreedyMatching, HungarianMatching,
                           TrackState)
from mmcico.models.trackers.clip_tracker import shared_frames
from mmcico.models.vis.video_state import mean_overlap


def clip_of(frame_ids, objects=(0, 1), size=24):
    """Squares: object k starts at column 8 k and goes down a row a frame."""
    num, steps = len(objects), len(frame_ids)
    masks = torch.zeros(num, steps, size, size)
    boxes = torch.zeros(num, steps, 4)
    for n, k in enumerate(objects):
        for t, f in enumerate(frame_ids):
            masks[n, t, f:f + 6, 8 * k:8 * k + 6] = 0.9
            boxes[n, t] = torch.tensor([8. * k, f, 8 * k + 6, f + 6])
    return InstanceData(
        bboxes=boxes,
        masks=masks,
        embeds=F.one_hot(torch.tensor(objects, dtype=torch.long), 8).float(),
        scores=torch.full((num, ), 0.8),
        labels=torch.tensor(objects, dtype=torch.long))


def run(tracker, clips):
    """Ids of every clip of a video, each (frame_ids, objects)."""
    state, ids = TrackState(), []
    for frame_ids, objects in clips:
        state, clip = tracker.step(state, clip_of(frame_ids, objects),
                                   frame_ids)
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
    ids = run(tracker, [((0, 1, 2), (0, )), ((2, 3, 4), (2, 0)),
                        ((4, 5, 6), (0, 1, 2))])
    assert ids == [[0], [1, 0], [0, 2, 1]]


def test_the_paper_remembers_the_previous_clip_only(tracker):
    ids = run(tracker, [((0, 1, 2), (0, 1)), ((2, 3, 4), (0, )),
                        ((4, 5, 6), (0, 1))])
    assert ids == [[0, 1], [0], [0, 2]]


RECALL = dict(type='mmcico.EmbeddingRecall', min_similarity=0.5)


def test_recall_finds_a_lost_object_by_its_embedding():
    tracker = ClipTracker(memory=3, recall=RECALL)
    ids = run(tracker, [((0, 1, 2), (0, 1)), ((2, 3, 4), (0, )),
                        ((4, 5, 6), (0, 1))])
    assert ids == [[0, 1], [0], [0, 1]]
    ids = run(tracker,
              [((0, 1), (1, ))] + [((t, t + 1), (0, ))
                                   for t in range(1, 5)] + [((5, 6), (1, ))])
    assert ids[-1] == [2]  # four clips were too many


def test_empty_clips_do_not_use_up_ids(tracker):
    ids = run(tracker, [((0, 1, 2), ()), ((2, 3, 4), (0, )), ((4, 5, 6), ()),
                        ((6, 7, 8), (0, ))])
    assert ids == [[], [0], [], [1]]


def test_videos_can_take_turns(tracker):
    clips = [((0, 1, 2), (0, 1)), ((2, 3, 4), (1, 2)), ((4, 5, 6), (2, 1))]
    alone = run(tracker, clips)
    states = [TrackState(), TrackState()]
    for (frame_ids, objects), expected in zip(clips, alone):
        for video in range(2):
            states[video], clip = tracker.step(states[video],
                                               clip_of(frame_ids, objects),
                                               frame_ids)
            assert clip.instances_id.tolist() == expected


def test_memory_does_not_grow_with_the_video():
    tracker = ClipTracker(memory=2, match_thr=10.)  # nothing ever matches
    state = TrackState()
    for start in range(0, 15, 2):
        frame_ids = (start, start + 1, start + 2)
        state, _ = tracker.step(state, clip_of(frame_ids), frame_ids)
    assert state.next_id == 16
    assert len(state.tracks) == 4


def test_match_score_by_hand():
    tracker = ClipTracker(
        embed_weight=1, mask_weight=10, box_weight=100, score_weight=1000)
    state, _ = tracker.step(TrackState(), clip_of((0, 1), (0, )), (0, 1))
    score = tracker.match_score(state, clip_of((2, 3), (0, 1)), (2, 3))
    # one row further down: 30 of 42 pixels, in masks and boxes
    same = 1 + 10 * 30 / 42 + 100 * 30 / 42 + 800
    assert score[0, 0].item() == pytest.approx(same)
    assert score[1, 0].item() == pytest.approx(0.5 + 800)


def test_greedy_and_hungarian_differ_where_they_should():
    score = torch.tensor([[.9, .8], [.8, .1]])
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
    before, _ = tracker.step(TrackState(), clip_of((0, 1, 2), (0, )),
                             (0, 1, 2))
    later = clip_of((2, 3, 4), (1, 0))
    later.masks = later.masks * 0.5
    _, later = tracker.step(before, later, (2, 3, 4))
    masks = mean_overlap(before, later, (2, 3, 4))
    assert torch.equal(masks[0], later.masks[0])  # new
    assert torch.equal(masks[1, 1:], later.masks[1, 1:])
    assert masks[1, 0].max().item() == pytest.approx((0.9 + 0.45) / 2)


def test_memory_must_be_a_clip_at_least():
    with pytest.raises(ValueError, match='memory'):
        ClipTracker(memory=0)
