"""Products in whole precision."""

import pytest
import torch
from mmengine.registry import init_default_scope
from processes import forked
from torch import nn
from torch.nn import functional as F

from mmcico.deployment import set_precision
from mmcico.models.layers.frozen_norms import join_frozen_norms
from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg
from mmcico.utils.numerics import whole_products


def settings():
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


def test_settings_are_put_back():
    before = settings()
    assert before[0]  # PyTorch's default
    with pytest.raises(KeyError), whole_products():
        assert settings() == (False, False)
        raise KeyError
    assert settings() == before


def print_with_old_names():
    for name in ('highest', 'high', 'medium'):
        torch.set_float32_matmul_precision(name)
        with whole_products():
            print(torch.get_float32_matmul_precision(), end=' ')
        print(torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)


def test_the_precision_of_matrix_products_is_put_back():
    found = forked(1, print_with_old_names)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split('\n')[:3] == [
        f'highest {name} True' for name in ('highest', 'high', 'medium')
    ], found.stderr


def print_with_new_names():
    conv = torch.backends.cudnn.conv
    conv.fp32_precision, torch.backends.cudnn.rnn.fp32_precision = 'tf32', 'ieee'
    with whole_products():
        print(conv.fp32_precision, end=' ')
    print(conv.fp32_precision)


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, 'conv'), reason='older than PyTorch 2.9')
def test_the_new_names_of_the_settings_work_too():
    found = forked(1, print_with_new_names)  # PyTorch remembers the mixture
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ['ieee', 'tf32'], found.stderr


def rounded(x):
    """The nearest number of 10 bits, as the units for TF32 take it."""
    bits = x.detach().contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


@pytest.fixture
def like_a_gpu(monkeypatch):
    """Convolutions round their inputs as those of a GPU do, if it may."""
    real = F.conv2d

    def conv2d(x, weight, *args, **kwargs):
        if torch.backends.cudnn.allow_tf32:
            x, weight = rounded(x), rounded(weight)
        return real(x, weight, *args, **kwargs)

    monkeypatch.setattr(F, 'conv2d', conv2d)
    monkeypatch.setattr(torch, 'conv2d', conv2d)


def norms(model):
    return sum(isinstance(each, nn.BatchNorm2d) for each in model.modules())


def test_norms_are_folded_on_a_gpu_that_rounds(like_a_gpu):
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(small_model_cfg()).eval()
    for each in model.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.uniform_(each.running_mean, -1, 1)
            nn.init.uniform_(each.running_var, 0.5, 2)
    assert norms(model) == 20
    set_precision(model, 'fp32')
    assert norms(model) == 0


def test_frozen_norms_are_compared_in_whole_precision(monkeypatch):
    init_default_scope('mmdet')
    settings_seen = set()
    cfg = dict(small_model_cfg()['backbone'], norm_eval=True)
    backbone = MODELS.build(cfg)
    backbone.train()
    real = type(backbone).forward

    def forward(self, x):
        settings_seen.add(settings())
        return real(self, x)

    monkeypatch.setattr(type(backbone), 'forward', forward)
    assert join_frozen_norms(backbone) > 0
    assert settings_seen == {(False, False)}
