"""tools/deployment."""

import re

import pytest
import torch
from exportable import build, need_onnx, small_cfg
from tool_runs import run_here

from mmcico.deployment import load_onnx_model

need_onnx()


def run(name, *args):
    threads = torch.get_num_threads()
    try:
        return run_here(f'deployment/{name}.py', *args)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Folder with a config and a checkpoint."""
    folder = tmp_path_factory.mktemp('files')
    cfg = small_cfg()
    model = build(cfg, quantile=0.98)
    cfg.model.test_cfg = dict(
        nms=dict(type='mmcico.ClipNMS', min_share=0, score_thr=model.nms.score_thr)
    )
    steps = [dict(type='mmcico.LoadClipFrame')]
    steps.append(dict(type='Resize', scale=(160, 96), keep_ratio=True))
    cfg.test_dataloader = dict(
        dataset=dict(
            pipeline=[
                dict(type='mmcico.ClipFrameSample'),
                dict(type='TransformBroadcaster', transforms=steps),
                dict(type='mmcico.PackClipInputs'),
            ]
        )
    )
    cfg.dump(folder / 'small.py')
    meta = dict(dataset_meta=dict(classes=tuple('abcd')))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), folder / 'small.pth')
    return folder


def test_export_then_compare(files, capsys):
    cfg, weights = files / 'small.py', files / 'small.pth'
    out = files / 'clip.onnx'
    size = ['--height', 64, '--width', 32]
    assert run('export_onnx', cfg, weights, out, *size) == 0
    text = capsys.readouterr().out
    assert text.count('checked at') == 3 and 'at 64 x 32: cls_scores' in text
    assert f'written: {out}' in text
    info = load_onnx_model(None, str(out)).onnx_info
    assert info.classes == tuple('abcd')
    assert info.category_ids == (1, 2, 3, 4)
    assert run('compare_backends', cfg, weights, out, '--frames', 6) == 0
    text = capsys.readouterr().out
    assert re.search('2 clips, [1-9][0-9]* instances.* the same', text)
    assert re.search(r'median of 1 clips: \d', text)


def test_user_errors_are_one_line(files, capsys):
    cfg, weights = files / 'small.py', files / 'small.pth'
    out = files / 'other.onnx'
    assert run('export_onnx', files / 'none.py', weights, out) == 1
    other = ['--cfg-options', 'model.bbox_head.num_frames=2']
    assert run('export_onnx', cfg, weights, out, *other) == 1
    assert run('export_onnx', cfg, weights, out, '--height', 64) == 2
    assert run('export_onnx', cfg, weights, weights) == 2
    errors = capsys.readouterr().err
    assert 'none.py" does not exist' in errors
    assert 'do not fit the config' in errors and 'go together' in errors
    assert 'small.pth is a file to be read; give another name' in errors
    assert 'Traceback' not in errors and not out.exists()
