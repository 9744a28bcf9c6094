"""Mask generators against a plain loop over pixels; enlargement of mask features by hand."""

import math

import pytest
import torch

from mmcico.models import DynamicMask, GaussianPlane, LinearMask, OffsetPlanes
from mmcico.models.layers.mask_layers import DeconvUpsample, aligned_bilinear


def test_linear_mask_is_a_weighted_sum_of_planes():
    protos = torch.zeros(2, 3, 4, 5)
    protos[0, :, 1, 2], protos[1, :, 1, 2] = 3.0, 4.0
    params = torch.tensor([[1.0, -1.0], [0.5, 0.0]])
    logits = LinearMask(2)(protos, params, torch.zeros(2, 4))
    assert logits.shape == (2, 3, 4, 5)
    assert logits[:, 0, 1, 2].tolist() == [-1, 1.5]
    assert logits[:, :, 0].abs().sum() == 0


def test_offsets_are_in_half_boxes():
    planes = OffsetPlanes()(torch.tensor([[2.0, 0.0, 6.0, 8.0]]), (8, 8))
    # centre (4, 4), half 2 and 4; pixel (row 1, col 5) is at (5.5, 1.5)
    assert planes[0, :, 1, 5].tolist() == pytest.approx([0.75, -0.625])


def test_offsets_of_small_boxes_are_in_pixels():
    planes = OffsetPlanes()(torch.tensor([[2.0, 2.0, 2.5, 5.0]]), (8, 8))
    # centre (2.25, 3.5), half 0.25, at least 1, and 1.5; pixel (row 2, col 3) is at (3.5, 2.5)
    assert planes[0, :, 2, 3].tolist() == pytest.approx([1.25, -1 / 1.5])


def test_gaussian_plane_by_hand():
    plane = GaussianPlane()(torch.tensor([[1.0, 1.0, 4.0, 3.0]]), (6, 6))
    # centre (2.5, 2) rounds to (2, 2); sigma (4.5, 3)
    assert plane[0, 0, 2, 2].item() == 1
    expected = math.exp(-(9 / 20.25 + 4 / 9) / 2)
    assert plane[0, 0, 4, 5].item() == pytest.approx(expected)
    # sides of 0.5 and 2: sigma 0.75, at least 1, and 3
    plane = GaussianPlane()(torch.tensor([[2.0, 1.0, 2.5, 3.0]]), (6, 6))
    assert plane[0, 0, 3, 4].item() == pytest.approx(math.exp(-(4 + 1 / 9) / 2))


@pytest.mark.parametrize(
    'coordinates, count', [('mmcico.OffsetPlanes', 169), ('mmcico.GaussianPlane', 161)]
)
def test_dynamic_mask_equals_a_plain_network(coordinates, count):
    torch.manual_seed(0)
    generator = DynamicMask(coordinates=dict(type=coordinates))
    assert generator.num_params == count
    protos = torch.rand(8, 2, 3, 4)
    params = torch.randn(2, count)
    boxes = torch.tensor([[0.0, 0, 3, 2], [1, 1, 4, 3]])
    logits = generator(protos, params, boxes)
    planes = generator.coordinates(boxes, (3, 4))
    inputs = 10 if count == 169 else 9
    for n, t, y, x in [(0, 0, 0, 0), (0, 1, 2, 3), (1, 0, 1, 2)]:
        sizes = [8 * inputs, 64, 8, 8, 8, 1]
        w1, w2, w3, b1, b2, b3 = params[n].split(sizes)
        value = torch.cat([planes[n, :, y, x], protos[:, t, y, x]])
        value = (w1.view(8, inputs) @ value + b1).relu()
        value = (w2.view(8, 8) @ value + b2).relu()
        value = w3 @ value + b3
        assert logits[n, t, y, x].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-5)


def test_no_instances_make_no_masks():
    protos = torch.rand(8, 2, 3, 4)
    generator = DynamicMask()
    assert generator(protos, torch.zeros(0, 169), torch.zeros(0, 4)).shape == (0, 2, 3, 4)


def test_aligned_bilinear_hits_the_old_pixels():
    x = torch.rand(1, 2, 3, 4)
    for factor in (2, 4):
        big = aligned_bilinear(x, factor)
        assert big.shape == (1, 2, 3 * factor, 4 * factor)
        start = factor // 2
        assert torch.allclose(big[..., start::factor, start::factor], x)


def test_deconvolution_by_hand():
    layer = DeconvUpsample(1)
    with torch.no_grad():
        layer.deconv.weight.copy_(torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]]))
        layer.deconv.bias.fill_(-1.0)
    out = layer(torch.tensor([[[[1.0, 2.0]]]]), 1)
    # each pixel becomes weight * pixel - 1, and below 0 nothing
    expected = torch.tensor([[0.0, 1.0, 1.0, 3.0], [2.0, 0.0, 5.0, 0.0]])
    assert torch.equal(out[0, 0], expected)
