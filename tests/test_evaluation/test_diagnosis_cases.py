import numpy as np
import pytest
from vis_files import SIZE, annotation, golden, ground_truth, result

from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.diagnosis import break_down, read_cases
from mmcico.evaluation.diagnosis.cases import with_masks, without_masks
from mmcico.evaluation.matching import video_iou

LEFT, RIGHT = (0, 0, 4, 4), (5, 0, 9, 4)


def case_of(annotations, results, length=2):
    truth = read_ground_truth(ground_truth(annotations, lengths=[length]))
    return next(read_cases(truth, read_results(results, truth)))


@pytest.fixture(scope='module')
def official():
    truth, results, expected = golden()
    truth = read_ground_truth(truth)
    return truth, read_results(results, truth), expected


def test_base_equals_the_metric_on_official_figures(official):
    truth, tracks, expected = official
    names = [name for _, name in truth.categories]
    found = break_down(read_cases(truth, tracks), names).as_dict()
    base = found['oracles']['as it is']
    metrics = evaluate(truth, tracks)
    for key in ('AP', 'AP50', 'AP75'):
        assert base[key] == pytest.approx(metrics[key], abs=1e-12)
    assert found['classes'] == metrics['classes'] == names
    for mine, value in zip(base['AP_per_class'], metrics['AP_per_class']):
        assert mine == (None if value is None else pytest.approx(value, abs=1e-12))
    assert base['AP'] == pytest.approx(expected['AP'], abs=1e-9)


def test_overlaps_equal_those_of_the_metric(official):
    for case in read_cases(*official[:2]):
        expected = video_iou(case.predictions, case.objects, case.video.size)
        assert np.array_equal(case.iou, expected)


def test_order_and_classes_of_predictions():
    case = case_of(
        [annotation([LEFT] * 2, 11)],
        [result([LEFT] * 2, 0.3, 11), result([LEFT] * 2, 0.9, 10), result([RIGHT] * 2, 0.3, 10)],
    )
    # of equal scores the first class leads
    assert case.scores.tolist() == [0.9, 0.3, 0.3]
    assert case.labels.tolist() == [0, 0, 1]
    assert case.same_class.tolist() == [[False], [False], [True]]
    assert case.taken[:, :2].max() == -1 and case.taken[9, 2] == 0


def test_only_the_best_hundred_of_a_class():
    many = [result([LEFT], i / 1000) for i in range(103)]
    case = case_of([], many + [result([LEFT], 0.5, 11)], 1)
    assert np.bincount(case.labels).tolist() == [100, 1]
    assert case.scores[case.labels == 0].min() == 0.003


def test_frame_iou_by_hand():
    case = case_of([annotation([LEFT, None])], [result([(0, 0, 4, 2), LEFT])])
    assert case.frame_iou.tolist() == [[[0.5, 0]]]
    assert case.iou.tolist() == [[8 / 32]]


def test_masks_are_replaced_in_a_copy():
    case = case_of([annotation([LEFT, RIGHT, LEFT])], [result([(0, 0, 2, 2), None, None])], 3)
    track, other = case.predictions[0], case.objects[0]
    new = with_masks(track, other, np.array([False, True, False]))
    assert new.masks == [track.masks[0], other.masks[1], None]
    assert new.areas.tolist() == [4, 16, 0] and new.mean_area == 10
    assert new.score == 0.9 and track.areas.tolist() == [4, 0, 0]
    gone = without_masks(new, np.array([True, False, False]))
    assert gone.masks == [None, other.masks[1], None]
    assert gone.areas.tolist() == [0, 16, 0]
    assert without_masks(new, np.zeros(3, bool)) is new


def test_no_tracks():
    case = case_of(None, [])
    assert case.iou.shape == (0, 0) and case.taken.shape == (10, 0)
    assert case.video.size == SIZE
