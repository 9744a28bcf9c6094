import numpy as np
import pytest
from pycocotools import mask as mask_utils

from mmcico.evaluation.rle import encode_masks, frame_overlap, measure, read_mask


def random_masks(seed: int, num: int = 30, size=(19, 33)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    masks = rng.random((num, *size)) > rng.random((num, 1, 1))
    masks[0], masks[1] = False, True
    masks[2], masks[2, 0, 0] = False, True
    return masks


def compress(mask: np.ndarray) -> str:
    code = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return code['counts'].decode()


def test_column_by_column_by_hand():
    mask = np.array([[0, 1], [1, 1], [0, 0]], bool)
    # columns 0 1 0 | 1 1 0: runs 1, 1, 1, 2, 1; from the fourth on less the
    # run before the last: 1 1 1 1 0, and a digit is 48 more
    assert encode_masks(mask[None]) == ['11110']
    areas, sizes = measure(['11110'])
    assert areas.tolist() == [3] and sizes.tolist() == [6]
    assert read_mask(dict(size=[3, 2], counts=[1, 1, 1, 2, 1]), (3, 2)) == '11110'
    assert read_mask(dict(size=(3, 2), counts=b'11110'), (3, 2)) == '11110'


def test_encode_is_pycocotools_with_none_for_empty():
    masks = random_masks(0)
    texts = encode_masks(masks)
    assert texts[0] is None
    assert texts[1:] == [compress(mask) for mask in masks[1:]]


@pytest.mark.parametrize('size', [(19, 33), (1, 1), (300, 200)])
def test_measure_counts_pixels(size):
    masks = random_masks(1, 20, size)
    areas, sizes = measure([compress(mask) for mask in masks])
    assert areas.tolist() == masks.sum((1, 2)).tolist()
    assert (sizes == size[0] * size[1]).all()


def test_measure_marks_broken_texts_and_still_measures_others():
    good = compress(random_masks(2)[5])
    assert ord(good[0]) - 48 < 64
    broken = ['', '1P', '1\u00e9', '1 1']  # empty, cut, foreign, blank
    areas, sizes = measure([broken[0], good, *broken[1:], good])
    assert sizes.tolist() == [-1, 19 * 33, -1, -1, -1, 19 * 33]
    assert areas[1] == areas[-1] == random_masks(2)[5].sum()
    assert [len(each) for each in measure([])] == [0, 0]


def test_measure_of_very_many(monkeypatch):
    texts = [compress(mask) for mask in random_masks(4, 23)] + ['']
    once = [each.tolist() for each in measure(texts)]
    monkeypatch.setattr('mmcico.evaluation.rle.AT_ONCE', 4)
    assert [each.tolist() for each in measure(texts)] == once
    assert once[1] == [19 * 33] * 23 + [-1]


def test_overlap_is_exact():
    masks = random_masks(3)
    texts = [compress(mask) for mask in masks]
    areas = masks.sum((1, 2)).astype(float)
    overlap = frame_overlap(texts, texts[:7], (19, 33), areas)
    expected = (masks[:, None] & masks[None, :7]).sum((2, 3))
    assert overlap.tolist() == expected.tolist()


def test_polygons_are_drawn_and_joined():
    squares = [[0, 0, 4, 0, 4, 4, 0, 4], [6.0, 0, 8, 0, 8, 4, 6, 4]]
    text = read_mask(squares, (8, 10))
    mask = mask_utils.decode(dict(size=[8, 10], counts=text.encode()))
    assert mask[:4, :4].all() and mask[:4, 6:8].all() and mask.sum() == 24


@pytest.mark.parametrize('absent', [None, []])
def test_absent(absent):
    assert read_mask(absent, (8, 10)) is None


@pytest.mark.parametrize(
    'mask, message',
    [
        (dict(size=[4, 5], counts='0d0'), r'size \[4, 5\] is not the size'),
        (dict(counts='0d0'), 'size None'),
        (dict(size=[8, 10]), 'neither RLE'),
        ('text', 'neither RLE'),
        (dict(size=[8, 10], counts=[1, 2]), '3 pixels instead of .* = 80'),
        (dict(size=[8, 10], counts=[90, -10]), 'negative'),
        (dict(size=[8, 10], counts=[1.5, 78.5]), 'whole numbers'),
        (dict(size=[8, 10], counts=[[1], 2]), 'whole numbers'),
        (dict(size=[8, 10], counts=None), 'whole numbers'),
        ([[1, 2, 3, 4, 5, 6, 7]], 'is no polygon'),
        ([1, 2, 3, 4, 5, 6], '1 is no polygon'),
        ([[0, 0, 1e9, 0, 1e9, 1e9]], 'far outside the frame of 8 x 10'),
        ([[float('nan')] * 6], 'far outside'),
    ],
)
def test_unusable_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        read_mask(mask, (8, 10))
