"""A file is written only if it is right."""

import errno

import pytest
import torch
from exportable import build, need_onnx, small_cfg
from torch import nn

from mmcico.deployment import OnnxInfo, export_onnx, onnx_export
from mmcico.deployment.onnx_export import check_report, difference
from mmcico.deployment.onnx_files import map_priors

need_onnx()


def test_difference_by_hand():
    wanted = torch.tensor([0.0, 4.0])
    assert difference(torch.tensor([0.0, 4.5]), wanted) == 0.125
    assert difference(torch.tensor([0.25, 0.5]), torch.tensor([0.5, 0.5])) == 0.25
    assert difference(torch.zeros(3), wanted) == float('inf')
    assert difference(torch.tensor([0.0, float('nan')]), wanted) == float('inf')


def test_reports_with_differences_are_refused():
    check_report({(64, 96): dict(embeds=1e-4, protos=0.0)}, 'a.onnx')
    with pytest.raises(ValueError, match='a.onnx.*embeds at 64 x 96: 0.002'):
        check_report({(64, 96): dict(embeds=2e-3, protos=0.0)}, 'a.onnx')
    with pytest.raises(ValueError, match='protos'):
        check_report({(64, 96): dict(protos=float('nan'))}, 'a.onnx')


class FrozenSize(nn.Module):
    """A layer that depends on the size in a way that tracing cannot see."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x * (int(x.shape[-1]) / 100))


def test_what_does_not_export_is_not_written(tmp_path):
    cfg = small_cfg()
    model = build(cfg)
    model.backbone = FrozenSize(model.backbone)
    path = tmp_path / 'clip.onnx'
    path.write_bytes(b'the file before')
    with pytest.raises(ValueError, match='cls_scores at 128 x 96'):
        export_onnx(model, str(path), OnnxInfo.of(model))
    assert [each.name for each in tmp_path.iterdir()] == ['clip.onnx']
    assert path.read_bytes() == b'the file before'


def test_two_exports_to_one_file_at_the_same_time(tmp_path, monkeypatch):
    model, path, real = build(small_cfg()), str(tmp_path / 'clip.onnx'), onnx_export.add_metadata
    info = OnnxInfo.of(model)

    def meanwhile(*args):
        monkeypatch.setattr(onnx_export, 'add_metadata', real)
        export_onnx(model, path, info, [(64, 96)])
        real(*args)

    monkeypatch.setattr(onnx_export, 'add_metadata', meanwhile)
    export_onnx(model, path, info, [(64, 96)])
    assert [each.name for each in tmp_path.iterdir()] == ['clip.onnx']


def test_a_full_disk_is_told_with_the_file(tmp_path, monkeypatch):
    def full_disk(*args):
        raise OSError(errno.ENOSPC, 'No space left on device')

    model = build(small_cfg())
    monkeypatch.setattr(onnx_export, 'trace', full_disk)
    with pytest.raises(OSError, match='cannot write the file .*clip.onnx: No space left'):
        export_onnx(model, str(tmp_path / 'clip.onnx'), OnnxInfo.of(model))
    assert not list(tmp_path.iterdir())


class Unknown(nn.Module):
    """A layer that ONNX has no operator for."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x + torch.special.i0(x).mean())


def test_unknown_layers_are_named(tmp_path, capfd):
    model = build(small_cfg())
    model.backbone = Unknown(model.backbone)
    with pytest.raises(ValueError, match='does not export.*i0'):
        export_onnx(model, str(tmp_path / 'clip.onnx'), OnnxInfo.of(model))
    assert not list(tmp_path.iterdir())


def test_requests_that_cannot_be_met(tmp_path):
    model = build(small_cfg())
    info, path = OnnxInfo.of(model), str(tmp_path / 'clip.onnx')
    with pytest.raises(ValueError, match='multiples of 32, got .*65'):
        export_onnx(model, path, info, [(64, 65)])
    with pytest.raises(ValueError, match='got none'):
        export_onnx(model, path, info, [])
    with pytest.raises(ValueError, match='opset=11 .* 13 to 20'):
        export_onnx(model, path, info, opset=11)
    with pytest.raises(ValueError, match='no folder'):
        export_onnx(model, str(tmp_path / 'none' / 'clip.onnx'), info)
    with pytest.raises(ValueError, match='eval mode'):
        export_onnx(model.train(), path, info)
    model.eval().mask_head.generator.extra = nn.Linear(1, 1)
    with pytest.raises(ValueError, match='weights of its own'):
        export_onnx(model, path, info)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('kind', ['yolact', 'published'])
@pytest.mark.parametrize('size', [(32, 32), (96, 160), (224, 352)])
@torch.no_grad()
def test_priors_need_no_maps(kind, size):
    model = build(small_cfg(kind))
    frames = torch.zeros(1, 3, 3, *size)
    outputs, _ = model(frames, mode='tensor')
    found = map_priors(model, size, frames)
    assert torch.equal(found, outputs.priors)


def test_metadata_comes_back(tmp_path):
    cfg = small_cfg()
    info = OnnxInfo.of(build(cfg), cfg, ["it's", 'b'], [3, 1])
    assert info.cfg == cfg.to_dict()
    assert OnnxInfo.from_props(info.to_props(), 'a.onnx') == info
    cfg.train_dataloader = dict(seed=torch.float32)
    assert OnnxInfo.of(build(small_cfg()), cfg).cfg is None
    with pytest.raises(ValueError, match='"a.onnx" is not a clip network'):
        OnnxInfo.from_props({'producer': 'other'}, 'a.onnx')
