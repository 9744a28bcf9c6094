"""Frozen batch norms that convolutions apply."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmdet.models import ResNet
from torch import nn

from mmcico.deployment.precision import norms_to_fold
from mmcico.engine import FrozenNormHook
from mmcico.models.layers.frozen_norms import join_frozen_norms, split_norms


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    model = ResNet(18, base_channels=8, frozen_stages=1, norm_eval=True)
    model.train()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                value.data.uniform_(0.5, 1.5)
    return model


def step(model, dtype=torch.float32):
    """Return outputs, gradients, and how many bytes of maps autograd stores."""
    model.zero_grad()
    stored = {}

    def pack(value):
        if value.dim() == 4 and len(value) == 2:
            stored[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        with torch.autocast('cpu', dtype=dtype, enabled=dtype != torch.float32):
            outputs = model(x)
    sum((each.float() ** 2).mean() for each in outputs).backward()
    grads = {k: v.grad.clone() for k, v in model.named_parameters() if v.grad is not None}
    return outputs, grads, sum(stored.values())


def test_a_step_has_the_same_gradients_and_less_memory(backbone):
    names = list(backbone.state_dict())
    outputs, grads, memory = step(backbone)
    assert join_frozen_norms(backbone) == 15  # five of the twenty are in frozen stages
    assert list(backbone.state_dict()) == names
    found, found_grads, found_memory = step(backbone)
    torch.testing.assert_close(found, outputs, rtol=1e-4, atol=1e-4)
    assert found_grads.keys() == grads.keys() and 'layer2.0.bn1.weight' in grads
    for name, grad in grads.items():
        scale = grad.abs().max()
        torch.testing.assert_close(found_grads[name] / scale, grad / scale, rtol=0, atol=1e-4)
    assert found_memory < 0.7 * memory
    # the norm still decides: a new mean moves the outputs
    backbone.layer4[1].bn2.running_mean += 1
    assert not torch.allclose(step(backbone)[0][-1], found[-1], rtol=1e-3)


def test_tests_and_norms_in_training_run_as_before(backbone):
    plain = copy.deepcopy(backbone)
    join_frozen_norms(backbone)
    x = torch.randn(1, 3, 64, 64)
    for model in (backbone, plain):
        model.eval()
    with torch.no_grad():
        assert all(map(torch.equal, backbone(x), plain(x)))
    for model in (backbone, plain):  # somebody trains the norms after all
        model.norm_eval = False
        model.train()
    assert all(map(torch.equal, backbone(x), plain(x)))
    assert torch.equal(backbone.layer2[0].bn1.running_mean, plain.layer2[0].bn1.running_mean)


def test_copies_have_norms_of_their_own(backbone):
    """An average of weights is such a copy."""
    join_frozen_norms(backbone)
    twin = copy.deepcopy(backbone)
    before = step(backbone)[0][-1].detach()
    twin.layer4[1].bn2.running_mean += 1
    assert torch.equal(step(backbone)[0][-1], before)
    assert not torch.allclose(step(twin)[0][-1], before, rtol=1e-3)
    split_norms(twin)
    assert {type(each) for each in twin.modules()} >= {nn.Conv2d, nn.BatchNorm2d}
    assert not hasattr(twin.layer4[1].conv2, 'norm_after')
    assert len(list(norms_to_fold(twin))) == 20


class Misleading(nn.Module):
    """Registers norms in an order that is not that of the computation."""

    def __init__(self):
        super().__init__()
        self.a, self.norm_b = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.b, self.norm_a = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        return (self.norm_b(self.b(self.norm_a(self.a(x)).relu())),)


def test_a_misleading_order_changes_nothing():
    model = Misleading()
    model.norm_a.eval()
    model.norm_b.eval()
    state = torch.get_rng_state()
    assert join_frozen_norms(model) == 0
    assert type(model.a) is nn.Conv2d and torch.equal(torch.get_rng_state(), state)


class Picky(nn.Sequential):
    """Takes one size alone."""

    def forward(self, x):
        assert x.shape[-1] == 7
        return (super().forward(x),)


def test_a_backbone_with_other_inputs_stays_as_it_is():
    model = Picky(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3).eval())
    assert join_frozen_norms(model) == 0
    assert type(model[0]) is nn.Conv2d


def test_hook_takes_the_backbone_of_any_model_and_only_frozen_norms(backbone):
    model = nn.Module()
    model.backbone = backbone
    hook, other = FrozenNormHook(), copy.deepcopy(model)
    for norm in model.modules():  # the state before a training: nothing is frozen yet
        norm.training = True
    FrozenNormHook(enabled=False).before_train(SimpleNamespace(model=model))
    assert type(backbone.layer2[0].conv2) is nn.Conv2d
    hook.before_train(SimpleNamespace(model=model))
    assert type(backbone.layer2[0].conv2).__name__ == 'NormedConv2d'
    other.backbone.norm_eval = False
    hook.before_train(SimpleNamespace(model=other))
    assert type(other.backbone.layer2[0].conv2) is nn.Conv2d
    hook.before_train(SimpleNamespace(model=nn.Linear(1, 1)))  # no backbone, nothing to do


def test_losses_in_bfloat16_are_close(backbone):
    join_frozen_norms(backbone)
    exact, low = step(backbone)[0], step(backbone, torch.bfloat16)[0]
    assert low[0].dtype == torch.bfloat16
    for a, b in zip(low, exact):
        assert (a.float() - b).norm() < 0.02 * b.norm()
