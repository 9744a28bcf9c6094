"""Frames and objects get their size before they are drawn."""

import cv2
import numpy as np
import pytest

from mmcico.visualization import DrawnObject, draw_objects, track_colour
from mmcico.visualization.draw import mask_box
from mmcico.visualization.style import DrawStyle, draw_frame, resized, resized_mask


def grey(size=(20, 30)):
    return np.full((*size, 3), 100, np.uint8)


def mask_of(rows, cols, size=(20, 30)):
    mask = np.zeros(size, bool)
    mask[rows, cols] = True
    return mask


def test_enlarging_keeps_things_together():
    item = DrawnObject(0, mask_of(slice(2, 4), slice(5, 8)), box=(5, 2, 7.5, 3))
    large, (scaled,) = resized(grey(), [item], 3)
    assert large.shape == (60, 90, 3) and (large == 100).all()
    assert scaled.mask.sum() == 9 * item.mask.sum()
    assert mask_box(scaled.mask) == (15, 6, 23, 11)
    assert scaled.box == (15, 6, 22.5, 9)
    same, items = resized(grey(), [item], 1)
    assert same.shape == (20, 30, 3) and items == [item]


def test_shrinking_keeps_things_together():
    item = DrawnObject(
        0,
        mask_of(slice(4, 8), slice(10, 16)),
        box=(10, 4, 16, 8),
        circumscribed=(8, 2, 18, 10),
        trail=((12, 6), (13, 7)),
    )
    small, (scaled,) = resized(grey(), [item], 0.5)
    assert small.shape == (10, 15, 3)
    assert mask_box(scaled.mask) == (5, 2, 7, 3) and scaled.mask.sum() == 6
    assert scaled.box == (5, 2, 8, 4) and scaled.circumscribed == (4, 1, 9, 5)
    assert scaled.trail == ((6, 3), (6.5, 3.5))
    # 30 * .25 is rounded to 8 (to even), 20 * .25 is 5
    small, (scaled,) = resized(grey(), [item], 0.25)
    assert small.shape == (5, 8, 3)
    assert scaled.box == pytest.approx((10 * 8 / 30, 1, 16 * 8 / 30, 2))


def test_half_of_a_pixel_is_inside():
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 0, 1]], bool)
    # 2, 1, 4 and 2 of four
    assert resized_mask(mask, (2, 2)).tolist() == [[True, False], [True, True]]


def test_small_objects_do_not_vanish():
    mask = mask_of(slice(9, 10), slice(0, 30))  # a line
    assert resized_mask(mask, (2, 3)).tolist() == [[True] * 3, [False] * 3]
    assert not resized_mask(np.zeros((20, 30), bool), (2, 3)).any()


def test_masks_are_enlarged_by_any_factor():
    assert (
        resized_mask(np.array([[True, False]]), (3, 5)).tolist()
        == [[True, True, True, False, False]] * 3
    )


def test_pictures_are_not_wider():
    for size, width, expected in (
        ((720, 1280), 400, (225, 400)),
        ((720, 1280), 1281, (720, 1280)),
        ((96, 160), 400, (240, 400)),
        ((96, 160), None, (384, 640)),
        ((2, 5000), 100, (1, 100)),
    ):
        picture = draw_frame(grey(size), [], DrawStyle(), width)
        assert picture.shape[:2] == expected


def test_labels_are_as_large_as_on_a_frame_of_that_size():
    size, part = (720, 1280), (slice(200, 400), slice(320, 640))
    item = DrawnObject(1, mask_of(*part, size), 'dog')
    small = draw_frame(grey(size), [item], DrawStyle(), 320)
    rows, cols = slice(50, 100), slice(80, 160)
    expected = draw_objects(
        grey((180, 320)), [DrawnObject(1, mask_of(rows, cols, (180, 320)), 'dog')]
    )
    assert (small == expected).all()
    # the plate above the mask; drawn at 1280 and shrunk, it has 5 rows
    plate = (small[:49] == track_colour(1)).all(axis=2).any(axis=1)
    assert plate.sum() >= 10
    full = draw_frame(grey(size), [item], DrawStyle())
    before = cv2.resize(full, (320, 180), interpolation=cv2.INTER_AREA)
    assert (before[:49] != 100).any(axis=(1, 2)).sum() < 10


def test_masks_of_another_size_are_refused():
    item = DrawnObject(7, np.ones((10, 15), bool))
    with pytest.raises(ValueError, match=r'track 7 is \(10, 15\)'):
        draw_frame(grey(), [item], DrawStyle(), 10)
