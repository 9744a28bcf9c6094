"""Options of docs/en/configs.md: each builds and runs once at reduced size."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config

from mmcico.registry import HOOKS, MODELS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'en' / 'configs.md').read_text()
BASES = sorted((ROOT / 'configs' / '_base_' / 'backbones').glob('*.py'))
#: the same kinds with fewer layers
REDUCED = {
    'SwinTransformer': dict(depths=[1, 1, 1, 1]),
    'PyramidVisionTransformerV2': dict(num_layers=[1, 1, 1, 1]),
    'CSPNeXt': dict(),
    'mmpretrain.ConvNeXt': dict(arch=dict(depths=[1, 1, 1, 1], channels=[96, 192, 384, 768])),
}

register_all_modules(init_default_scope=True)


def snippet(start):
    """The block of the page that begins with a text."""
    (block,) = [b for b in re.findall(r'```python\n(.*?)```', PAGE, re.S) if b.startswith(start)]
    return block.replace('mmcico::', f'{ROOT}/configs/')


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_the_third_model_takes_it_too(path, tmp_path):
    text = snippet("_base_ = ['mmcico::cico").replace('swin-s.py', path.name)
    text = text.replace('cico-yolact_r50_fpn', 'cico-rtmdet_cspnext-s_pafpn')
    (tmp_path / 'child.py').write_text(text)
    found = Config.fromfile(tmp_path / 'child.py').model.backbone
    wanted = Config.fromfile(path).other_backbone.backbone
    assert (found.type, found.init_cfg) == (wanted.type, wanted.init_cfg)


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_backbone_is_swapped_by_two_lines(path, tmp_path):
    text = snippet("_base_ = ['mmcico::cico").replace('swin-s.py', path.name)
    (tmp_path / 'child.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'child.py')
    backbone = cfg.model.backbone
    if backbone.type.startswith('mmpretrain.'):
        pytest.importorskip('mmpretrain')
    backbone.update(REDUCED[backbone.type], init_cfg=None)
    cfg.merge_from_dict(
        {
            'model.neck.out_channels': 16,
            'model.bbox_head.in_channels': 16,
            'model.bbox_head.towers': dict(channels=16, num_convs=1),
            'model.mask_head.in_channels': 16,
            'model.mask_head.feat_channels': 16,
        }
    )
    model = MODELS.build(cfg.model).eval()
    assert type(model.backbone).__name__ == backbone.type.rpartition('.')[2]
    with torch.no_grad():
        outputs, protos = model(torch.rand(1, 3, 3, 64, 64), mode='tensor')
    assert protos.shape[2:] == (3, 16, 16) and protos.isfinite().all()
    assert f'`{path.name}`' in PAGE
    channels = ', '.join(map(str, cfg.model.neck.in_channels))
    assert channels in PAGE


def test_moving_average_is_a_line(tmp_path):
    (tmp_path / 'child.py').write_text(snippet("_base_ = ['mmcico::demo"))
    hooks = Config.fromfile(tmp_path / 'child.py').custom_hooks
    base = Config.fromfile(ROOT / 'configs' / '_base_' / 'schedules' / 'ema.py').custom_hooks
    assert hooks == base
    built = [HOOKS.build(each) for each in hooks]
    assert [type(each).__name__ for each in built] == ['ClassCheckHook', 'EMAHook']
