import numpy as np
import pytest
from vis_files import SIZE, annotation, ground_truth, result

from mmcico.evaluation import read_ground_truth, read_results
from mmcico.evaluation.matching import IOU_THRS, Group, assign, match_tracks, video_iou


def tracks_of(object_boxes, predicted):
    """Tracks of video 0 and category 10."""
    truth = read_ground_truth(
        ground_truth(
            [annotation(boxes) for boxes in object_boxes],
            lengths=[len((object_boxes + predicted)[0])],
        )
    )
    found = read_results([result(boxes) for boxes in predicted], truth)
    return truth.tracks.get((0, 0), []), found.get((0, 0), [])


def test_video_iou_by_hand():
    objects, predicted = tracks_of(
        [[(0, 0, 4, 4), (2, 2, 4, 4)], [None, (0, 0, 1, 1)]],
        [[(0, 0, 4, 2), None], [(2, 0, 6, 4), (2, 2, 4, 4)], [None, None]],
    )
    iou = video_iou(predicted, objects, SIZE)
    # frame 0: 8 of 16, frame 1: 0 of 4; 8 + 4 of 24 + 4; nothing in common
    assert iou.tolist() == [[8 / 20, 0], [12 / 28, 0], [0, 0]]
    swapped = video_iou(objects, predicted, SIZE)
    assert swapped.tolist() == iou.T.tolist()
    assert video_iou([], objects, SIZE).shape == (0, 2)


def assigned(iou, crowd, ignored, thrs):
    """Whether each prediction has an object, and an ignored one, for each group and threshold."""
    taken = assign(iou, crowd, ignored, thrs)
    groups = np.arange(len(ignored))[:, None, None]
    padded = np.pad(ignored, ((0, 0), (0, 1)))  # -1 stands for no object
    return taken >= 0, padded[groups, taken]


def one(iou, crowd=None, ignored=None, thrs=(0.5, 0.75)):
    iou = np.array(iou, float)
    crowd = np.zeros(iou.shape[1], bool) if crowd is None else crowd
    ignored = crowd if ignored is None else ignored
    found, skip = assigned(iou, np.array(crowd, bool), np.array([ignored], bool), np.array(thrs))
    return found[0].tolist(), skip[0].tolist()


def test_better_score_takes_first():
    found, skip = one([[0.8, 0.6], [0.9, 0.2]])
    # the first takes object 0, so the second finds only object 1 at .2
    assert found == [[True, False], [True, False]]
    assert skip == [[False, False], [False, False]]


def test_each_takes_its_best_object():
    assert one([[0.6, 0.8], [0.7, 0.9]])[0] == [[True, True], [True, False]]


def test_object_that_counts_goes_before_a_better_ignored_one():
    found, skip = one([[0.9, 0.6]], crowd=[False, False], ignored=[True, False])
    assert found == [[True], [True]]
    assert skip == [[False], [True]]  # at .75 only the ignored one is near


def test_crowd_takes_many_others_one():
    found, skip = one([[0.9], [0.9]], crowd=[True])
    assert found == skip == [[True, True], [True, True]]
    found, skip = one([[0.9], [0.9]], crowd=[False], ignored=[True])
    assert found == skip == [[True, False], [True, False]]


def test_iou_equal_to_the_threshold_counts_and_one_is_reached():
    assert one([[0.5]], thrs=(0.5, 1.0))[0] == [[True], [False]]
    assert one([[1.0]], thrs=(0.5, 1.0))[0] == [[True], [True]]


def test_without_objects_or_predictions():
    assert one(np.zeros((2, 0)), crowd=[], ignored=[])[0] == [[False] * 2] * 2
    assert one(np.zeros((0, 3)))[0] == [[], []]


def slow_assign(iou, crowd, ignored, thr):
    """The rule in plain words, one prediction after the other."""
    taken, answer = set(), []
    for row in iou:
        near = [
            g
            for g in range(len(row))
            if row[g] >= min(thr, 1 - 1e-10) and (g not in taken or crowd[g])
        ]
        counted = [g for g in near if not ignored[g]]
        best = max(counted or near, key=lambda g: (row[g], g), default=None)
        answer.append((best is not None, best is not None and not counted))
        taken.add(best)
    return answer


@pytest.mark.parametrize('seed', range(20))
def test_equals_the_plain_rule(seed):
    rng = np.random.default_rng(seed)
    num, objects = rng.integers(0, 9, 2)
    iou = rng.integers(0, 21, (num, objects)) / 20
    crowd = rng.random(objects) < 0.2
    ignored = crowd | (rng.random((3, objects)) < 0.3)
    found, skip = assigned(iou, crowd, ignored, IOU_THRS)
    for group in range(3):
        for index, thr in enumerate(IOU_THRS):
            expected = slow_assign(iou, crowd, ignored[group], thr)
            assert list(zip(found[group, index], skip[group, index])) == expected


def test_groups_by_area_and_occlusion():
    groups = [Group('all'), Group('small', areas=(0, 9)), Group('heavy', occlusion=(0.5, 1))]
    truth = read_ground_truth(
        ground_truth([annotation([(0, 0, 4, 4), None], occlusion=['severe_occlusion', None])])
    )
    objects = truth.tracks[0, 0]
    boxes = [[(0, 0, 4, 4), None], [(5, 5, 7, 7), None], [(5, 0, 9, 4), None]]
    found = read_results([result(each, 0.9 - i / 10) for i, each in enumerate(boxes)], truth)[0, 0]
    matches = match_tracks(found, objects, SIZE, groups)
    assert np.allclose(matches.scores, [0.9, 0.8, 0.7])
    assert matches.objects.tolist() == [1, 0, 1]
    assert matches.found[:, 0].tolist() == [[True, False, False]] * 3
    # of 16 pixels: found object and third are outside of small; an
    # unmatched one is never outside of an occlusion range
    assert matches.ignored[:, 0].tolist() == [
        [False, False, False],
        [True, False, True],
        [False, False, False],
    ]


def test_only_the_best_hundred():
    truth = read_ground_truth(ground_truth([annotation([(0, 0, 2, 2), None])]))
    many = [result([(5, 5, 6, 6), None], score=i / 200) for i in range(120)]
    many[7] = result([(0, 0, 2, 2), None], score=0.0)
    found = read_results(many, truth)[0, 0]
    matches = match_tracks(found, truth.tracks[0, 0], SIZE, [Group('')])
    assert matches.scores.tolist() == [i / 200 for i in range(119, 19, -1)]
    assert not matches.found.any()
