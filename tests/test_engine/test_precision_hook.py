"""A test at low precision leaves the model as it was."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.deployment.precision import FastNetwork
from mmcico.engine import PrecisionHook
from mmcico.registry import HOOKS, MODELS
from mmcico.testing import small_model_cfg


def test_the_network_is_replaced_for_the_test():
    init_default_scope('mmdet')
    model = MODELS.build(small_model_cfg())
    before = model.network, model.backbone, model.neck
    runner = SimpleNamespace(model=model, test_dataloader=range(2))
    hook = HOOKS.build(dict(type='mmcico.PrecisionHook', precision='bf16'))
    assert hook.priority == 'LOWEST'  # after the hook that swaps in averaged weights
    with torch.no_grad():
        model.neck.lateral_convs[0].bias.fill_(2.0)
    hook.before_test_epoch(runner)
    assert isinstance(model.network, FastNetwork)
    assert model.neck.lateral_convs[0].bias.dtype == torch.bfloat16
    assert model.neck.lateral_convs[0].bias.tolist() == [2.0] * 16
    hook.after_test_iter(runner, 0)
    assert isinstance(model.network, FastNetwork)
    hook.after_test_iter(runner, 1)
    assert all(a is b for a, b in zip((model.network, model.backbone, model.neck), before))
    assert model.neck.lateral_convs[0].bias.dtype == torch.float32


def test_wrong_settings_are_told():
    with pytest.raises(ValueError, match='none of'):
        PrecisionHook('half')
    with pytest.raises(ValueError, match='mmcico.CiCo, but the model is a Linear'):
        PrecisionHook('fp32').before_test_epoch(SimpleNamespace(model=nn.Linear(1, 1)))
