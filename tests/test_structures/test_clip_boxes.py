"""Geometry of clip boxes against numbers worked out by hand."""

import pytest
import torch

from mmcico.structures.clip_boxes import (
    box_iou,
    circumscribed_boxes,
    fill_from_nearest,
    mutual_iou,
    pairwise_clip_iou,
    pairwise_iou,
    scale_boxes,
)


def test_circumscribed_box_all_frames():
    boxes = torch.tensor([[[0.0, 0, 2, 2], [4, 1, 6, 3], [1, -1, 2, 1]]])
    assert circumscribed_boxes(boxes).tolist() == [[0, -1, 6, 3]]


def test_circumscribed_box_leaves_hidden_frames_out():
    boxes = torch.tensor([[[0.0, 0, 2, 2], [4, 1, 6, 3], [90, 90, 99, 99]]])
    visible = torch.tensor([[True, True, False]])
    assert circumscribed_boxes(boxes, visible).tolist() == [[0, 0, 6, 3]]


def test_circumscribed_box_of_never_visible_is_zero():
    boxes = torch.ones(1, 2, 4)
    visible = torch.zeros(1, 2, dtype=torch.bool)
    assert circumscribed_boxes(boxes, visible).tolist() == [[0, 0, 0, 0]]


def test_circumscribed_box_of_one_frame_is_that_box():
    boxes = torch.rand(5, 1, 4)
    assert torch.equal(circumscribed_boxes(boxes), boxes[:, 0])


def test_box_iou_by_hand():
    a = torch.tensor([[0.0, 0, 4, 4]])
    b = torch.tensor([[2.0, 2, 6, 6], [0, 0, 4, 4], [4, 4, 8, 8]])
    # 4 of 16 + 16 - 4, all, a common corner only
    assert pairwise_iou(a, b)[0].tolist() == pytest.approx([4 / 28, 1, 0])


def test_iou_of_empty_boxes_is_zero():
    empty = torch.zeros(1, 4)
    assert box_iou(empty, empty).tolist() == [0]
    assert mutual_iou(empty).tolist() == [[0]]


def test_boxes_of_a_frame_are_compared_with_each_other():
    boxes = torch.tensor([[[0.0, 0, 4, 4], [2, 2, 6, 6]], [[0, 0, 2, 8], [0, 0, 4, 4]]])
    expected = torch.tensor([[[1, 4 / 28], [4 / 28, 1]], [[1, 8 / 24], [8 / 24, 1]]])
    torch.testing.assert_close(mutual_iou(boxes), expected)


def test_clip_iou_is_the_mean_over_frames():
    a = torch.tensor([[[0.0, 0, 4, 4], [0, 0, 4, 4]]])
    b = torch.tensor([[[0.0, 0, 4, 4], [2, 2, 6, 6]]])
    assert pairwise_clip_iou(a, b).item() == pytest.approx((1 + 4 / 28) / 2)


def test_scale_boxes_keeps_the_centre():
    boxes = torch.tensor([[2.0, 2, 6, 10]])
    assert scale_boxes(boxes, 1.5).tolist() == [[1, 0, 7, 12]]


def test_fill_from_nearest_prefers_the_earlier_of_two():
    boxes = torch.arange(5.0)[None, :, None].expand(1, 5, 4).clone()
    visible = torch.tensor([[False, True, False, True, False]])
    filled = fill_from_nearest(boxes, visible)
    assert filled[0, :, 0].tolist() == [1, 1, 1, 3, 3]


def test_fill_from_nearest_does_not_touch_its_input():
    boxes = torch.rand(2, 3, 4)
    before = boxes.clone()
    fill_from_nearest(boxes, torch.tensor([[True, False, False]] * 2))
    assert torch.equal(boxes, before)
