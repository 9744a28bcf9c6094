import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_reference import reference
from random_cases import random_case
from vis_files import annotation, golden, ground_truth, result

from mmcico.evaluation import evaluate, read_ground_truth, read_results

# the official tools put a tiny number into the denominator
ONE = pytest.approx(1, abs=1e-12)
EXTRA = ('AP_per_class', 'classes')
A, B, FAR = (0, 0, 4, 4), (5, 4, 9, 8), (9, 0, 10, 1)


def measure(truth, results, **more):
    truth = read_ground_truth(truth)
    return evaluate(truth, read_results(results, truth), **more)


@pytest.mark.parametrize('metric', ['ytvis', 'ovis'])
def test_equals_the_official_tools(metric):
    truth, results, expected = golden(metric)
    metrics = measure(truth, results, metric=metric)
    per_class = expected.pop('AP_per_class', None)
    assert [key for key in metrics if key not in EXTRA] == [*expected]
    for key, value in expected.items():
        assert metrics[key] == pytest.approx(value, abs=1e-9), key
    if per_class is not None:
        assert metrics['classes'] == [f'class_{i}' for i in range(1, 7)]
        assert metrics['AP_per_class'] == [
            value if value is None else pytest.approx(value, abs=1e-9) for value in per_class
        ]


def test_ap_by_hand():
    truth = ground_truth([annotation([A, A]), annotation([B, None])])
    # right, wrong, right: precision 1 up to recall 1/2, then 2/3
    metrics = measure(truth, [result([A, A], 0.9), result([FAR, FAR], 0.8), result([B, None], 0.7)])
    assert metrics['AP'] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert metrics['AP50'] == metrics['AP75'] == pytest.approx(metrics['AP'])
    assert metrics['APs'] == metrics['AP'] and metrics['APm'] is None
    assert (metrics['AR1'], metrics['AR10'], metrics['AR100']) == (0.5, 1, 1)
    assert metrics['AP_per_class'] == [metrics['AP'], None]
    assert metrics['classes'] == ['class_0', 'class_1']


def test_iou_decides_at_each_threshold():
    # 8 of 16 in frame 0 and 16 of 16 in frame 1: 24 / 32 = .75
    metrics = measure(ground_truth([annotation([A, A])]), [result([(0, 0, 4, 2), A])])
    assert metrics['AP50'] == metrics['AP75'] == ONE
    assert metrics['AP'] == pytest.approx(0.6)  # .5, .55, ..., .75
    assert metrics['AR100'] == pytest.approx(0.6)


@pytest.mark.parametrize('annotation_id', [0, 'a', 7])
def test_perfect_result_whatever_the_id(annotation_id):
    truth = ground_truth([annotation([A, None])])
    truth['annotations'][0]['id'] = annotation_id
    assert measure(truth, [result([A, None])])['AP'] == ONE


def test_ids_may_be_texts():
    truth = ground_truth([annotation([A, None])])
    truth['videos'][0]['id'] = 'first'
    truth['annotations'][0]['video_id'] = 'first'
    truth['annotations'][0]['category_id'] = '10'
    found = dict(result([A, None]), video_id='first')
    assert measure(truth, [found])['AP'] == ONE


def test_no_predictions_score_zero():
    metrics = measure(ground_truth([annotation([A, A])]), [])
    assert metrics['AP'] == metrics['AP50'] == metrics['AR100'] == 0
    assert metrics['AP_per_class'] == [0, None]
    assert metrics['APl'] is None


def test_crowd_is_neither_found_nor_missed():
    truth = ground_truth([annotation([A, A]), annotation([B, B], iscrowd=1)])
    results = [result([B, B], 0.9), result([B, B], 0.8), result([A, A], 0.7)]
    assert measure(truth, results)['AP'] == ONE
    only = ground_truth([annotation([B, B], iscrowd=1)])
    assert measure(only, results)['AP'] is None


def test_class_counts():
    truth = ground_truth([annotation([A, A])])
    metrics = measure(truth, [result([A, A], category_id=11)])
    assert metrics['AP'] == 0 and metrics['AP_per_class'] == [0, None]


def test_stated_areas_decide_the_size():
    truth = ground_truth([annotation([A, A], areas=[130.0**2, None])])
    metrics = measure(truth, [result([A, A])])
    assert metrics['APm'] == ONE and metrics['APs'] is None


def test_occlusion_groups_share_their_ends():
    # of three frames the two most hidden: (.25 + .75) / 2 = .5
    levels = ['severe_occlusion', 'no_occlusion', 'slight_occlusion']
    truth = ground_truth([annotation([A, A, A], occlusion=levels)], [3])
    metrics = measure(truth, [result([A, A, A])], metric='ovis')
    assert metrics['AP_light'] is None
    assert metrics['AP_medium'] == metrics['AP_heavy'] == ONE
    assert metrics['AR_medium'] == metrics['AR_heavy'] == 1


def test_some_videos_only():
    truth = ground_truth([annotation([A, A]), annotation([A, A], video_id=1)], [2, 2])
    results = [result([A, A])]
    assert measure(truth, results)['AR100'] == 0.5
    assert measure(truth, results, video_ids=[0])['AR100'] == 1
    assert measure(truth, results, video_ids=['1'])['AR100'] == 0
    with pytest.raises(ValueError, match='no video 5'):
        measure(truth, results, video_ids=[5])


def test_unknown_metric():
    with pytest.raises(ValueError, match="'coco'; known are ytvis, ovis"):
        measure(ground_truth([]), [], metric='coco')


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_equals_a_plain_reference(seed):
    truth, results = random_case(seed)
    metrics = measure(truth, results, metric='ovis')
    expected = reference(truth, results)
    assert len(expected) == 16
    for key, value in expected.items():
        assert metrics[key] == (value if value is None else pytest.approx(value, abs=1e-9)), key
