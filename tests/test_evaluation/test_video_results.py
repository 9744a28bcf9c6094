import pytest

from mmcico.evaluation.video_results import VideoResults

SIZE = (8, 10)
IDS = (40, 7, 9)  # label -> category id


def video(length=2, frames=(), votes=()):
    answer = VideoResults('v', length)
    for frame_id, ids in frames:
        answer.add_frame(frame_id, SIZE, ids, [f't{i}'.encode() for i in ids])
    for vote in votes:
        answer.add_votes(*vote)
    return answer


def test_mean_score_majority_class_and_places():
    results = video(
        3,
        [(0, [5]), (1, []), (2, [5, 6])],
        [([5, 6], [0.9, 0.5], [0, 2]), ([5], [0.6], [1]), ([5], [0.3], [1])],
    ).finish(IDS)
    assert [each['score'] for each in results] == [pytest.approx(0.6), 0.5]
    assert [each['category_id'] for each in results] == [7, 9]
    mask = dict(size=[8, 10], counts='t5')
    assert results[0]['segmentations'] == [mask, None, mask]
    assert results[1]['segmentations'][:2] == [None, None]
    assert {each['video_id'] for each in results} == {'v'}


def test_equal_votes_go_to_the_higher_scores():
    votes = [([0], [0.4], [2]), ([0], [0.5], [1]), ([0], [0.3], [1]), ([0], [0.6], [2])]
    assert video(1, [(0, [0])], votes).finish(IDS)[0]['category_id'] == 9


def test_tracks_without_masks_are_dropped():
    empty = video(1)
    empty.add_frame(0, SIZE, [3], [None])
    empty.add_votes([3, 4], [0.9, 0.9], [0, 0])
    assert empty.finish(IDS) == []


def test_best_hundred_of_each_class():
    ids = list(range(130))
    votes = ids, [i / 200 for i in ids], [int(i >= 120) for i in ids]
    results = video(1, [(0, ids)], [votes]).finish(IDS)
    assert [each['score'] for each in results] == [i / 200 for i in range(129, 19, -1)]


def test_end_is_reached_with_the_last_frame():
    answer = video(2, [(0, [])])
    assert not answer.reached_end
    answer.add_frame(1, SIZE, [], [])
    assert answer.reached_end and answer.finish(IDS) == []


def test_missing_frames_are_named():
    answer = video(4, [(0, []), (3, [])])
    with pytest.raises(ValueError, match='video v: .* 2 of 4 .* being frame 1'):
        answer.finish(IDS)


@pytest.mark.parametrize(
    'frame_id, ids, message',
    [
        (0, [], 'video v: frame 0: results came twice'),
        (2, [], r'frame 2 is outside of 0\.\.1'),
        (1, [4, 4], 'field instances_id has a value twice'),
    ],
)
def test_unusable_frames(frame_id, ids, message):
    with pytest.raises(ValueError, match=message):
        video(2, [(0, []), (frame_id, ids)])


def test_track_without_vote_or_with_unknown_label():
    with pytest.raises(ValueError, match='track 2 has masks but no score'):
        video(1, [(0, [2])]).finish(IDS)
    with pytest.raises(ValueError, match='track 2: label 3 is none of the 3'):
        video(1, [(0, [2])], [([2], [0.5], [3])]).finish(IDS)


def test_a_confirmed_track_begins_where_it_was_first_found():
    frames = [(0, [5, 6]), (1, [5, 6])]
    votes = [
        ([5, 6], [0.2, 0.3], [0, 1], [True, True]),
        ([5, 6], [0.4, 0.3], [0, 1], [False, True]),
    ]
    # the votes of all clips count; track 6 was never confirmed
    ((track, label, score, masks),) = video(2, frames, votes).tracks(3)
    assert (track, label, score) == (5, 0, pytest.approx(0.3))
    assert [mask['counts'] for mask in masks] == ['t5', 't5']
