"""Steps in bfloat16 and weights with their channels last."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmcico.engine import ChannelsLastHook
from mmcico.registry import OPTIM_WRAPPERS


def test_losses_in_bfloat16_and_weights_in_float32():
    model = nn.Linear(2, 1, bias=False)
    nn.init.constant_(model.weight, 1 + 2**-10)  # 1 in bfloat16
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='mmcico.BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
            accumulative_counts=2,
        )
    )
    wrapper.initialize_count_status(model, 0, 4)
    x = torch.ones(1, 2)
    for _ in range(2):
        with wrapper.optim_context(model):
            y = model(x)
        assert y.dtype == torch.bfloat16 and y.item() == 2
        wrapper.update_params(y.float().sum())
    assert not torch.is_autocast_enabled('cpu') and model.weight.dtype == torch.float32
    # the mean gradient of the two steps is 1
    assert model.weight.tolist() == [[pytest.approx(2**-10)] * 2]


def test_channels_last_changes_no_value():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv3d(4, 2, 1))
    before = [each.clone() for each in model.parameters()]
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert model[2].weight.is_contiguous()
    assert all(map(torch.equal, before, model.parameters()))
    assert model[0](torch.ones(1, 3, 5, 6)).is_contiguous(memory_format=torch.channels_last)
