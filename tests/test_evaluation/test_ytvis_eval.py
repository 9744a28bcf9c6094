import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_reference import reference
from vis_files import annotation, ground_truth, result, rle

from mmcico.evaluation import evaluate, read_ground_truth, read_results

DATA = Path(__file__).parents[1] / 'data'
# the official tools put a tiny number into the denominator
ONE = pytest.approx(1, abs=1e-12)
EXTRA = ('AP_per_class', 'classes')
A, B, FAR = (0, 0, 4, 4), (5, 4, 9, 8), (9, 0, 10, 1)


def load(name):
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


def measure(truth, results, **more):
    truth = read_ground_truth(truth)
    return evaluate(truth, read_results(results, truth), **more)


@pytest.mark.parametrize('metric', ['ytvis', 'ovis'])
def test_equals_the_official_tools(metric):
    folder = f'metric_{metric}'
    metrics = measure(
        load(f'{folder}/gt.json.gz'),
        load(f'{folder}/results.json.gz'),
        metric=metric)
    expected = json.loads((DATA / folder / 'expected.json').read_text())
    per_class = expected.pop('AP_per_class', None)
    assert [key for key in metrics if key not in EXTRA] == [*expected]
    for key, value in expected.items():
        assert metrics[key] == pytest.approx(value, abs=1e-9), key
    if per_class is not None:
        assert metrics['classes'] == [f'class_{i}' for i in range(1, 7)]
        assert metrics['AP_per_class'] == [
            value if value is None else pytest.approx(value, abs=1e-9)
            for value in per_class
        ]


def test_ap_by_hand():
    truth = ground_truth([annotation([A, A]), annotation([B, None])])
    # right, wrong, right: precision 1 up to recall 1/2, then 2/3
    metrics = measure(
        truth,
        [result([A, A], .9),
         result([FAR, FAR], .8),
         result([B, None], .7)])
    assert metrics['AP'] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert metrics['AP50'] == metrics['AP75'] == pytest.approx(metrics['AP'])
    assert metrics['APs'] == metrics['AP'] and metrics['APm'] is None
    assert (metrics['AR1'], metrics['AR10'], metrics['AR100']) == (.5, 1, 1)
    assert metrics['AP_per_class'] == [metrics['AP'], None]
    assert metrics['classes'] == ['class_0', 'class_1']


def test_iou_decides_at_each_threshold():
    # 8 of 16 in frame 0 and 16 of 16 in frame 1: 24 / 32 = .75
    metrics = measure(
        ground_truth([annotation([A, A])]), [result([(0, 0, 4, 2), A])])
    assert metrics['AP50'] == metrics['AP75'] == ONE
    assert metrics['AP'] == pytest.approx(.6)  # .5, .55, ..., .75
    assert metrics['AR100'] == pytest.approx(.6)


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
    results = [result([B, B], .9), result([B, B], .8), result([A, A], .7)]
    assert measure(truth, results)['AP'] == ONE
    only = ground_truth([annotation([B, B], iscrowd=1)])
    assert measure(only, results)['AP'] is None


def test_class_counts():
    truth = ground_truth([annotation([A, A])])
    metrics = measure(truth, [result([A, A], category_id=11)])
    assert metrics['AP'] == 0 and metrics['AP_per_class'] == [0, None]


def test_stated_areas_decide_the_size():
    truth = ground_truth([annotation([A, A], areas=[130.**2, None])])
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
    truth = ground_truth([annotation([A, A]),
                          annotation([A, A], video_id=1)], [2, 2])
    results = [result([A, A])]
    assert measure(truth, results)['AR100'] == .5
    assert measure(truth, results, video_ids=[0])['AR100'] == 1
    assert measure(truth, results, video_ids=['1'])['AR100'] == 0
    with pytest.raises(ValueError, match='no video 5'):
        measure(truth, results, video_ids=[5])


def test_unknown_metric():
    with pytest.raises(ValueError, match="'coco'; known are ytvis, ovis"):
        measure(ground_truth([]), [], metric='coco')


def random_track(rng, length, size):
    """Rectangles on a coarse grid, so that overlaps and ties are common."""
    height, width = size
    frames = []
    for _ in range(length):
        x, y = rng.integers(0, 3, 2) * (width // 4, height // 4)
        w, h = rng.integers(1, 3, 2) * (width // 4, height // 4)
        mask = np.zeros(size, bool)
        if rng.random() > .2:
            mask[y:y + h, x:x + w] = True
        frames.append(rle(mask))
    return frames


def random_case(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 4, rng.integers(1, 4)).tolist()
    size = [(8, 12), (300, 400)][rng.integers(2)]
    truth = ground_truth([], lengths, size)
    results = []
    for _ in range(rng.integers(1, 7)):
        video = int(rng.integers(len(lengths)))
        place = dict(video_id=video, category_id=int(rng.integers(10, 12)))
        masks = random_track(rng, lengths[video], size)
        truth['annotations'].append(
            dict(
                place,
                id=len(truth['annotations']),
                iscrowd=int(rng.random() < .2),
                segmentations=masks))
        for _ in range(rng.integers(4)):
            if rng.random() < .5:
                masks = random_track(rng, lengths[video], size)
            score = int(rng.integers(6)) / 5
            results.append(dict(place, score=score, segmentations=masks))
    return truth, results


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_equals_a_plain_reference(seed):
    truth, results = random_case(seed)
    metrics = measure(truth, results)
    expected = reference(truth, results)
    for key, value in expected.items():
        assert metrics[key] == (value if value is None else pytest.approx(
            value, abs=1e-9)), key
