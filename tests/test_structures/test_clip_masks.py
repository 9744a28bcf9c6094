"""Mask measures against numbers worked out by hand."""

import pytest
import torch

from mmcico.models.layers.clip_tower import clip_to_frames, frames_to_clip
from mmcico.structures.clip_masks import (
    FlatMasks,
    compare_masks,
    crop_edges,
    crop_region,
    mask_stability,
    mean_mask_iou,
    pairwise_mask_iou,
    to_original,
    within_edges,
)


def test_crop_region_grows_by_one_pixel():
    region = crop_region(torch.tensor([[2.9, 1.2, 4.9, 2.0]]), (6, 8))[0]
    # truncated to 2..4 and 1..2, then one pixel more on each side
    rows, cols = region.nonzero(as_tuple=True)
    assert (rows.min(), rows.max()) == (0, 2)
    assert (cols.min(), cols.max()) == (1, 4)
    assert region.sum() == 3 * 4


def test_crop_region_is_cut_to_the_map():
    region = crop_region(torch.tensor([[-5.0, -5.0, 99.0, 99.0]]), (3, 4))
    assert region.all()
    assert crop_edges(torch.tensor([[-5.0, 1.0, 99.0, 2.5]]), (3, 4)).tolist() == [[0, 0, 4, 3]]


def test_a_window_of_a_region():
    edges = torch.tensor([[1.0, 0, 4, 3]])
    whole = within_edges(edges, (0, 0, 8, 6))
    assert whole.sum() == 3 * 3
    assert torch.equal(within_edges(edges, (2, 1, 6, 5)), whole[:, 1:5, 2:6])


def moving_squares():
    """(2, 2, 4, 4): one square goes right, one stands still."""
    masks = torch.zeros(2, 2, 4, 4, dtype=torch.bool)
    masks[0, 0, :2, :2] = True
    masks[0, 1, :2, 1:3] = True
    masks[1, :, :2, :2] = True
    return masks


def test_pairwise_mask_iou_by_frame():
    masks = moving_squares()
    iou = pairwise_mask_iou(masks, masks)
    assert iou[0].tolist() == [[1, 1], [1, 1]]
    assert iou[1, 0, 1].item() == pytest.approx(2 / 6)


def test_empty_masks_have_no_overlap():
    empty = torch.zeros(1, 2, 3, 3, dtype=torch.bool)
    assert pairwise_mask_iou(empty, empty).tolist() == [[[0]], [[0]]]


def test_mean_over_frames_that_both_see():
    masks = moving_squares()
    masks[1, 0] = False
    flat = FlatMasks.of(masks)
    assert mean_mask_iou(flat, flat, 3)[0, 1].item() == pytest.approx(2 / 6)  # second frame alone
    assert mean_mask_iou(flat, flat, 4).tolist() == [[0, 0], [0, 0]]
    second = torch.tensor([False, True])[:, None, None]
    assert mean_mask_iou(flat, flat, 3, ~second)[0].tolist() == [1, 0]


def test_masks_are_compared_with_the_smaller_one_in_mind():
    masks = moving_squares()
    masks[1, 1, 0] = False  # 2 of 4 pixels, one of them in common
    iou, smaller = compare_masks(FlatMasks.of(masks), FlatMasks.of(masks).take(torch.tensor([1])))
    assert smaller.tolist() == [[[4], [4]], [[2], [2]]]
    assert iou[1].flatten().tolist() == pytest.approx([1 / 5, 1])


def test_stability_is_the_share_of_pixels_that_both_thresholds_keep():
    probs = torch.tensor([[0.9, 0.7, 0.3, 0.1], [0.9, 0.9, 0.9, 0.9], [0.1, 0.0, 0.0, 0.1]])
    probs = probs.view(3, 2, 1, 2)
    assert mask_stability(probs, 0.1).tolist() == [1, 1, 0.5]
    torch.testing.assert_close(mask_stability(probs, 0.3), torch.tensor([1 / 3, 1, 0.5]))
    # without a pixel above the higher threshold, the size decides
    assert mask_stability(torch.full((1, 2, 1, 2), 0.7), 0.3).tolist() == [0.5 / 4]


def test_to_original_cuts_padding_before_it_enlarges():
    probs = torch.zeros(1, 4, 4)
    probs[:, :, 3] = 1  # padding: the frame covers 3 of 4 columns
    full = to_original(probs, (16, 16), (16, 12), (16, 12))
    assert full.shape == (1, 16, 12)
    assert full[..., :11].sum() == 0
    probs = torch.ones(1, 4, 4)
    assert to_original(probs, (16, 16), (15, 12), (30, 24)).all()


def test_to_original_is_where_the_object_is():
    probs = torch.zeros(1, 8, 8)
    probs[:, 2:4, 4:6] = 1
    full = to_original(probs, (32, 32), (32, 32), (64, 64))
    rows, cols = full[0].nonzero(as_tuple=True)
    assert rows.min() == 16 and rows.max() == 31
    assert cols.min() == 32 and cols.max() == 47


def plain_axis(size, pad, img, ori):
    """Where the pixels of a video fall on an axis of the map."""
    centre = (torch.arange(ori).double() + 0.5) * img / ori * size / pad - 0.5
    centre = centre.clamp(0, size - 1)
    low = centre.long()
    return low, (low + 1).clamp(max=size - 1), centre - low


def plain_enlarged(probs, pad, img, ori):
    """Bilinear values of the map at the pixel centres of the video."""
    y0, y1, fy = plain_axis(probs.shape[1], pad[0], img[0], ori[0])
    x0, x1, fx = plain_axis(probs.shape[2], pad[1], img[1], ori[1])
    rows = torch.lerp(probs[:, y0], probs[:, y1], fy[:, None])
    return torch.lerp(rows[..., x0], rows[..., x1], fx)


@pytest.mark.parametrize(
    'ori, img',
    [
        ((253, 135), (461, 246)),
        ((51, 46), (101, 91)),
        ((480, 854), (356, 640)),
        ((7, 5), (33, 24)),
        ((49, 98), (32, 64)),
    ],
)
def test_to_original_is_exact_for_odd_sizes(ori, img):
    pad = [-(-side // 32) * 32 for side in img]
    g = torch.Generator().manual_seed(0)
    probs = torch.rand(2, pad[0] // 4, pad[1] // 4, generator=g)
    expected = plain_enlarged(probs.double(), pad, img, ori)
    full = to_original(probs, pad, img, ori)
    assert full.shape == expected.shape
    sure = (expected - 0.5).abs() > 1e-3
    assert torch.equal(full[sure], (expected > 0.5)[sure])


def test_time_folds_out_and_in_again():
    x = torch.arange(2 * 3 * 4 * 1 * 2).view(6, 4, 1, 2)
    clip = frames_to_clip(x, 3)
    assert clip.shape == (2, 4, 3, 1, 2)
    assert torch.equal(clip[1, :, 2], x[5])
    assert torch.equal(clip_to_frames(clip), x)
