"""Ways to bring mask features to a finer size."""

import torch

from mmcico.models.layers.mask_layers import DeconvUpsample


def test_deconvolution_by_hand():
    layer = DeconvUpsample(1)
    with torch.no_grad():
        layer.deconv.weight.copy_(torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]]))
        layer.deconv.bias.fill_(-1.0)
    out = layer(torch.tensor([[[[1.0, 2.0]]]]), 1)
    # each pixel becomes weight * pixel - 1, and below 0 nothing
    expected = torch.tensor([[0.0, 1.0, 1.0, 3.0], [2.0, 0.0, 5.0, 0.0]])
    assert torch.equal(out[0, 0], expected)
