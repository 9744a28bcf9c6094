"""A user's config in a folder of its own, based on configs of the package."""

import re
from pathlib import Path

from mmcico.compat.embedded_config import _types

import pytest
from mmengine.config import Config
from tool_runs import options

from mmcico import registry
from mmcico.cli.main import main
from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.utils.package_files import package_configs, package_root

SMALL = """
_base_ = 'mmcico::demo/cico-yolact_demo_moving-shapes.py'
norm_cfg = dict(num_groups=4)
model = dict(
    backbone=dict(base_channels=8),
    neck=dict(in_channels=[16, 32, 64], out_channels=16),
    bbox_head=dict(
        in_channels=16, embed_channels=8,
        towers=dict(num_convs=1, channels=16, norm_cfg=norm_cfg)),
    mask_head=dict(in_channels=16, feat_channels=16, norm_cfg=norm_cfg),
    test_cfg=dict(nms=dict(score_thr=0.05, max_per_frame=5)))
train_cfg = dict(max_iters=2, val_interval=1)
param_scheduler = [dict(type='ConstantLR', factor=1.0, by_epoch=False)]
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(data_root='shapes'))
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root='shapes'))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='shapes/test/instances.json')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(interval=1, save_best='auto'), logger=dict(interval=1))
custom_hooks = [
    dict(type='mmcico.ClassCheckHook'),
    dict(type='EarlyStoppingHook', monitor='youtube_vis/AP', patience=9)]
"""


def complaints(said):
    """Lines of the logs that warn, beside those of MMEngine about itself."""
    lines = (said.out + said.err).splitlines()
    return [line for line in lines if re.search('WARNING|Failed|workaround', line)
            and not re.search('FileClient|HardDiskBackend|Advance dataloader', line)]  # fmt: skip


def test_train_resume_test_and_predict(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shapes = make_config('easy', size=(64, 96), num_frames=4)
    write_dataset('shapes/train', 2, seed=0, config=shapes)
    write_dataset('shapes/test', 1, seed=1, config=shapes)
    Path('mine.py').write_text(SMALL)
    assert main(['train', 'mine.py', '--work-dir', 'w', *options()]) == 0
    assert complaints(capsys.readouterr()) == []
    assert list(Path('w').glob('best_youtube_vis_AP_iter_*.pth'))
    more = options('train_cfg.max_iters=3')
    assert main(['train', 'mine.py', '--work-dir', 'w', '--resume', *more]) == 0
    assert Path('w/iter_3.pth').is_file()
    assert main(['test', 'mine.py', 'w/iter_3.pth', '--work-dir', 't', *options()]) == 0
    assert complaints(capsys.readouterr()) == []
    frames = 'shapes/test/JPEGImages/00000'
    assert main(['predict', frames, '--weights', 'w/iter_3.pth', '--save', 'json']) == 0
    # another model than that of the weights
    other = Path('mine.py').read_text().replace('yolact', 'condinst')
    Path('other.py').write_text(other)
    capsys.readouterr()
    test = ['test', 'other.py', 'w/iter_3.pth', '--work-dir', 'o', *options()]
    assert main(test) == 1
    assert 'do not fit the config' in capsys.readouterr().err
    assert main([*test, '--allow-partial']) == 0


@pytest.mark.parametrize('folder', ['cico', 'demo', 'published', 'ablations'])
def test_all_types_of_all_kinds_of_bases_are_found(folder, tmp_path):
    root = package_root() / 'configs'
    paths = [path.relative_to(root) for path in package_configs() if path.parent.name == folder]
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = 'mmcico::{paths[0].as_posix()}'")
    cfg = Config.fromfile(path)
    tables = [each for each in vars(registry).values() if isinstance(each, registry.Registry)]
    names = {name for key, name in _types(cfg.to_dict()) if key == 'type'}
    known = [name for name in names for each in tables if each.get(name.split('.')[-1])]
    assert names - set(known) == set()
