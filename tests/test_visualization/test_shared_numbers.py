"""The same object has the same number in every file."""

import json
from functools import partial

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from mmcico.evaluation.ground_truth import Track
from mmcico.evaluation.matching import best_pairs
from mmcico.visualization.overlay_files import LEAST_IOU, load_overlays, shared_numbers

SIZE = (4, 10)
partners = partial(best_pairs, least=LEAST_IOU)


def rle(columns):
    """A mask of whole columns, from one to before another; None is kept."""
    if columns is None:
        return None
    mask = np.zeros(SIZE, np.uint8, order='F')
    mask[:, slice(*columns)] = 1
    return mask_utils.encode(mask)['counts'].decode()


def track(*frames):
    areas = [0 if each is None else 4 * (each[1] - each[0]) for each in frames]
    return Track([rle(each) for each in frames], np.array(areas, float), 1.0)


LEFT, RIGHT = track((0, 4), (0, 4)), track((6, 10), (6, 10))


def test_partners_have_the_largest_sum():
    # the best pair alone, .8, would leave 0 for the rest: .7 + .6 is more
    iou = np.array([[0.8, 0.7], [0.6, 0.0]])
    assert partners(iou) == [(0, 1), (1, 0)]
    assert partners(iou.T) == [(0, 1), (1, 0)]
    # three rows for two columns: the first has none
    assert partners(np.array([[0.2, 0.2], [0.9, 0.0], [0.0, 0.3]])) == [(1, 0), (2, 1)]


def test_too_little_overlap_is_none():
    iou = np.array([[0.09, 0.0], [0.0, 0.1]])
    assert partners(iou) == [(1, 1)]
    assert partners(iou, least=0.05) == [(0, 0), (1, 1)]
    # what does not count must not keep others from their partners
    assert partners(np.array([[0.5, 0.09], [0.09, 0.0]])) == [(0, 0)]
    assert partners(np.zeros((2, 2)), least=0.0) == []
    assert partners(np.zeros((0, 3))) == partners(np.zeros((3, 0))) == []


def test_order_and_strangers():
    stranger = track((4, 6), (4, 6))
    assert shared_numbers([[LEFT, RIGHT], [RIGHT, stranger, LEFT]], SIZE) == [[0, 1], [1, 2, 0]]


def test_strangers_are_matched_among_the_files():
    near, far = track((4, 6), None), track(None, (4, 6))
    # the third file has both, and RIGHT, which the second one misses
    assert shared_numbers([[LEFT, RIGHT], [near, LEFT], [far, near, RIGHT]], SIZE) == [
        [0, 1],
        [2, 0],
        [3, 2, 1],
    ]


def test_the_first_file_goes_before_better_overlap_with_strangers():
    # truth 0-4; the second file has it, and 1-5, found twice; of the third
    # one's 1-5, IoU 3/5 with the truth and 1 with what was found twice
    twice = track((1, 5), (1, 5))
    assert shared_numbers([[LEFT], [LEFT, twice], [twice]], SIZE) == [[0], [0, 1], [0]]


def test_overlap_counts_all_frames():
    # on the first frame alone, the first track would be the partner
    first = [track((0, 10), (0, 5)), track(None, (5, 10))]
    swapped = track((0, 2), (5, 10))  # IoU 2/20 and 5/7
    assert shared_numbers([first, [swapped]], SIZE) == [[0, 1], [1]]


def test_empty_files_and_tracks():
    assert shared_numbers([], SIZE) == []
    assert shared_numbers([[], [RIGHT, LEFT], [LEFT]], SIZE) == [[], [0, 1], [1]]
    unseen = track(None, None)
    assert shared_numbers([[unseen], [unseen, LEFT]], SIZE) == [[0], [1, 2]]


@pytest.fixture
def files(tmp_path):
    """Ground truth of two objects, and results in other orders."""

    def entry(category, *columns, **more):
        masks = [dict(size=SIZE, counts=rle(each)) for each in columns]
        return dict(video_id=1, category_id=category, segmentations=masks, **more)

    left, right, middle = [(0, 4)] * 2, [(6, 10)] * 2, [(4, 6)] * 2
    annotations = [entry(2, *left, id=1, iscrowd=0), entry(1, *right, id=2, iscrowd=0)]
    truth = dict(
        videos=[dict(id=1, height=4, width=10, length=2, file_names=['0', '1'])],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        annotations=annotations,
    )
    first = [entry(1, *left, score=0.9), entry(1, *middle, score=0.8), entry(2, *right, score=0.7)]
    second = [entry(1, *right, score=0.9), entry(1, *left, score=0.1)]
    for name, content in dict(
        truth=truth, bare={**truth, 'annotations': None}, a=first, b=second
    ).items():
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    return tmp_path


def first_column(track):
    mask = mask_utils.decode(dict(size=SIZE, counts=track.masks[0]))
    return mask[0].argmax().item()


def numbers(overlay):
    """Number by the first column of the mask, in each panel."""
    return [{first_column(each): each.track_id for each in tracks} for _, tracks in overlay.panels]


def test_panels_have_the_numbers_of_the_ground_truth(files):
    results = dict(a=files / 'a.json', b=files / 'b.json')
    (overlay,) = load_overlays(files / 'truth.json', results, side_by_side=True)
    one, two, truth = numbers(overlay)
    assert sorted(truth.values()) == [0, 1]
    # class mistakes do not matter; the score of the left one of b is too low
    assert one == {**truth, 4: 2} and two == {6: truth[6]}
    names = {each.track_id: each.name for each in overlay.panels[0][1]}
    assert names == {truth[0]: 'cat', 2: 'cat', truth[6]: 'dog'}
    # without its panel, and alone, the numbers are the same
    (alone,) = load_overlays(files / 'truth.json', results['b'])
    assert numbers(alone) == [two]


def test_without_ground_truth_the_first_results_have_the_numbers(files):
    (overlay,) = load_overlays(
        files / 'bare.json', dict(a=files / 'a.json', b=files / 'b.json'), score_thr=0.0
    )
    one, two = numbers(overlay)
    assert sorted(one.values()) == [0, 1, 2]
    assert two == {0: one[0], 6: one[6]}
