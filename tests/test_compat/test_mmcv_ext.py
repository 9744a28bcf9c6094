"""The stand-in for mmcv's compiled operators, against numbers by hand."""

import importlib
import importlib.machinery
import math
import subprocess
import sys
import textwrap

from mmcico.compat import operators
from mmcico.compat.check import COMPILED, installed_stack
from mmcico.compat.operators import fill_mmcv_ext, pairwise_iou

import mmcv
import pytest
import torch
from mmcv.ops import SoftmaxFocalLoss, nms, roi_align, soft_nms
from mmdet.models.losses import focal_loss

ext = importlib.import_module('mmcv._ext')
stand_in = pytest.mark.skipif(
    getattr(ext, '__file__', None) is not None, reason='mmcv has compiled operators here'
)


@stand_in
def test_any_other_operator_says_what_is_missing():
    with pytest.raises(RuntimeError) as info:
        SoftmaxFocalLoss(2.0, 0.25)(torch.zeros(1, 2), torch.tensor([0]))
    assert 'softmax_focal_loss_forward' in str(info.value)
    assert COMPILED[installed_stack()] in str(info.value)


@stand_in
def test_module_does_not_invent_dunder_names():
    assert not hasattr(ext, '__path__')


def test_the_module_is_there_once():
    fill_mmcv_ext(mmcv)
    assert sys.modules['mmcv._ext'] is ext is mmcv._ext


def test_real_extension_wins(tmp_path):
    """A module that Python finds by itself is never replaced."""
    package = tmp_path / 'mmcv'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / '_ext.py').write_text('real = True')
    code = textwrap.dedent(f"""
        import sys
        import mmcico.compat
        for name in [n for n in sys.modules if n.split('.')[0] == 'mmcv']:
            del sys.modules[name]
        sys.path.insert(0, {str(tmp_path)!r})
        import mmcv._ext
        assert mmcv._ext.real is True
    """)
    subprocess.run([sys.executable, '-c', code], check=True)


def test_compiled_operators_that_do_not_load_are_told(tmp_path):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv' / '__init__.py').write_text('')
    name = f'_ext{importlib.machinery.EXTENSION_SUFFIXES[0]}'
    (tmp_path / 'mmcv' / name).write_bytes(b'')
    code = f'import sys, mmcico.compat; sys.path.insert(0, {str(tmp_path)!r}); import mmcv'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    start = 'ImportError: the compiled operators of the installed mmcv do not load'
    _, error = done.stderr.split(f'\n{start}')
    assert COMPILED[installed_stack()] in error


# boxes 0 and 1: intersection 8 x 10, union 120 -> IoU 2/3; 1 and 2 the same;
# 0 and 2: intersection 6 x 10, union 140 -> IoU 3/7; 3 is far away
BOXES = torch.tensor([[0.0, 0, 10, 10], [2, 0, 12, 10], [4, 0, 14, 10], [50, 50, 60, 60]])
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.95])


@pytest.mark.parametrize(
    'threshold, expected', [(0.5, [3, 0, 2]), (0.4, [3, 0]), (0.7, [3, 0, 1, 2])]
)
def test_nms_by_hand(threshold, expected):
    dets, kept = nms(BOXES, SCORES, threshold)
    assert kept.tolist() == expected
    assert torch.equal(dets, torch.cat([BOXES, SCORES[:, None]], 1)[kept])


def test_nms_offset_counts_the_border():
    # 0..1 and 1..2: with the border 2 x 2 cells each, one column shared
    # (2 cells of 6), without it they only touch
    boxes = torch.tensor([[0.0, 0, 1, 1], [1, 0, 2, 1]])
    scores = torch.tensor([0.9, 0.8])
    assert pairwise_iou(boxes, boxes, 1)[0, 1] == pytest.approx(1 / 3)
    assert len(nms(boxes, scores, 0.3, offset=1)[1]) == 1
    assert len(nms(boxes, scores, 0.3, offset=0)[1]) == 2


def test_nms_of_nothing_and_of_one():
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5)[1].shape == (0,)
    assert nms(BOXES[:1], SCORES[:1], 0.5)[1].tolist() == [0]


def test_nms_of_many_boxes_equals_a_loop():
    gen = torch.Generator().manual_seed(0)
    corner = torch.rand(600, 2, generator=gen) * 60
    size = torch.rand(len(corner), 2, generator=gen) * 30
    boxes = torch.cat([corner, corner + size], 1)
    scores = torch.rand(len(boxes), generator=gen)
    iou = pairwise_iou(boxes, boxes, 0)
    dead, expected = torch.zeros(len(boxes), dtype=torch.bool), []
    for i in scores.argsort(descending=True).tolist():
        if not dead[i]:
            expected.append(i)
            dead |= iou[i] > 0.5
    assert nms(boxes, scores, 0.5)[1].tolist() == expected


@stand_in
def test_soft_nms_and_max_pooling_say_what_they_need():
    with pytest.raises(RuntimeError, match='(?s)"softnms" was called.*mim install'):
        soft_nms(BOXES, SCORES, 0.4)
    with pytest.raises(NotImplementedError, match='maximum needs an mmcv'):
        roi_align(torch.ones(1, 1, 4, 4), torch.zeros(1, 5), 1, 1.0, 2, 'max', True)


class Torchvision:
    """Stands for ``torchvision.ops``."""

    nms = staticmethod(lambda boxes, scores, threshold: torch.tensor([2]))
    roi_align = None


@stand_in
def test_torchvision_is_used_where_it_works(monkeypatch):
    monkeypatch.setattr(operators, 'torchvision_ops', lambda: Torchvision)
    assert operators.nms(BOXES, SCORES, 0.5, offset=0).tolist() == [2]
    assert operators.nms(BOXES, SCORES, 0.5, offset=1).tolist() == [3, 0, 2]
    monkeypatch.setattr(
        Torchvision, 'roi_align', lambda x, rois, bins, *rest: torch.full((1, 1, *bins), 7.0)
    )
    out = roi_align(torch.ones(1, 1, 4, 4), torch.zeros(1, 5), 2, 1.0, 0, 'avg', True)
    assert out.tolist() == [[[[7, 7], [7, 7]]]]


@pytest.mark.parametrize(
    'text', ['raise ImportError', 'raise RuntimeError("operator torchvision::nms does not exist")']
)
def test_torchvision_that_fails_is_not_used(text, tmp_path, monkeypatch):
    (tmp_path / 'torchvision').mkdir()
    (tmp_path / 'torchvision' / '__init__.py').write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [each for each in sys.modules if each.split('.')[0] == 'torchvision']:
        monkeypatch.delitem(sys.modules, name)
    assert operators.torchvision_ops.__wrapped__() is None


def test_roi_align_of_a_slope_by_hand():
    # features 4 * y + x have their value at pixel centres (x + .5): the mean
    # of a plane over a bin is its value at the bin's centre
    feature = torch.arange(16.0).view(1, 1, 4, 4)
    rois = torch.tensor([[0.0, 1, 1, 3, 3]])
    out = roi_align(feature, rois, 2, 1.0, 0, 'avg', True)
    assert out.flatten().tolist() == pytest.approx([5, 6, 9, 10])
    # not aligned: half a cell to the lower right
    out = roi_align(feature, rois, 2, 1.0, 0, 'avg', False)
    assert out.flatten().tolist() == pytest.approx([7.5, 8.5, 11.5, 12.5])


@pytest.mark.parametrize('fast', [True, False])
def test_roi_align_with_a_negative_ratio_is_adaptive(fast, monkeypatch):
    if not fast:
        monkeypatch.setattr(operators, 'torchvision_ops', lambda: None)
    feature, rois = torch.arange(16.0).view(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 3, 3]])
    out = [roi_align(feature, rois, 1, 1.0, ratio, 'avg', True).item() for ratio in (-1, 0)]
    assert out == pytest.approx([5, 5])


def test_roi_align_outside_is_zero():
    feature = torch.ones(1, 1, 4, 4)
    rois = torch.tensor([[0.0, 20, 20, 30, 30], [0, -8, 0, 8, 4]])
    out = roi_align(feature, rois, 1, 1.0, 8, 'avg', True)
    # second: samples along x at -7.5, -5.5, ... 6.5, of which .5 and 2.5 lie
    # in [-1, 4]; all along y do
    assert out.flatten().tolist() == pytest.approx([0, 2 / 8])


def test_roi_align_of_no_rois_and_of_a_broken_one():
    feature = torch.ones(1, 2, 4, 4)
    assert roi_align(feature, torch.zeros(0, 5), 3).shape == (0, 2, 3, 3)
    broken = torch.tensor([[0.0, 3, 3, 1, 1], [0, 0, 0, math.nan, 1]])
    assert not roi_align(feature, broken, 2, 1.0, 0, 'avg', True).any()


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 2])
def test_roi_align_gradient(aligned, ratio):
    gen = torch.Generator().manual_seed(0)
    feature = torch.randn(2, 2, 5, 6, dtype=torch.double, generator=gen)
    rois = torch.tensor([[0, -3.0, 2, 20, 14], [1, 5, 5, 9, 17], [0, 40, 30, 60, 50]]).double()
    assert torch.autograd.gradcheck(
        lambda x: roi_align(x, rois, (3, 2), 0.25, ratio, 'avg', aligned),
        (feature.requires_grad_(),),
        eps=1e-5,
        atol=1e-5,
    )


def test_focal_loss_by_hand():
    # logits 0: p = 1/2, so (1/2)^2 * ln 2 times alpha or 1 - alpha
    logits = torch.zeros(2, 2)
    labels = torch.tensor([1, 2])  # the second row is background
    loss = focal_loss.sigmoid_focal_loss(logits, labels, None, 2.0, 0.25, 'none')
    unit = 0.25 * math.log(2)
    expected = [[0.75 * unit, 0.25 * unit], [0.75 * unit, 0.75 * unit]]
    assert torch.allclose(loss, torch.tensor(expected))
    weight = torch.tensor([3.0, 1.0])  # of rows
    loss = focal_loss.sigmoid_focal_loss(logits, labels, weight, 2.0, 0.25, 'none')
    assert torch.allclose(loss[0], 3 * torch.tensor(expected[0]))
    assert torch.allclose(loss[1], torch.tensor(expected[1]))


def test_focal_loss_gradient_and_far_out():
    gen = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, dtype=torch.double, generator=gen)
    labels = torch.tensor([0, 1, 2, 3, 3])
    for reduction in ('none', 'sum', 'mean'):
        assert torch.autograd.gradcheck(
            lambda x: focal_loss.sigmoid_focal_loss(x, labels, None, 2.0, 0.25, reduction),
            (logits.requires_grad_(),),
        )
    far = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = focal_loss.sigmoid_focal_loss(far, torch.tensor([1]), None, 2.0, 0.25, 'sum')
    loss.backward()
    assert loss.item() == pytest.approx(0.75 * 200 + 0.25 * 200)
    assert torch.isfinite(far.grad).all()
