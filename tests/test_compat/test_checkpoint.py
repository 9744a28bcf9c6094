"""Checkpoints: mmengine's own load, anything else is refused."""

import os
import pickle
import re
from collections import OrderedDict

from mmcico.compat.checkpoint import load_safely

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner, checkpoint, load_checkpoint
from torch import nn


class Line(BaseModel):
    """y = w x + b, as small as a model can be."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(1, 1)

    def forward(self, inputs, targets, mode='loss'):
        return dict(loss=(self.line(inputs) - targets).square().mean())


def make_runner(work_dir, epochs, **kwargs):
    x = torch.linspace(0, 1, 4)[:, None]
    torch.manual_seed(0)
    return Runner(
        Line(),
        work_dir=str(work_dir),
        experiment_name=f'run_{os.path.basename(work_dir)}_{epochs}',
        train_dataloader=dict(
            batch_size=2,
            dataset=[dict(inputs=each, targets=2 * each) for each in x],
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='MultiStepLR', milestones=[2])],
        custom_hooks=[dict(type='EMAHook')],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        randomness=dict(seed=1),
        log_level='ERROR',
        cfg=Config(dict(default_scope='mmdet')),
        **kwargs,
    )


def test_save_resume_load(tmp_path):
    whole = make_runner(tmp_path / 'whole', 3).train().state_dict()
    saved = str(tmp_path / 'whole' / 'epoch_2.pth')
    runner = make_runner(tmp_path / 'part', 3, load_from=saved, resume=True)
    resumed = runner.train().state_dict()
    assert runner.iter == 6
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name
    # the logged history goes on: one entry an iteration
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 6
    loaded = Line()
    load_checkpoint(loaded, saved, 'cpu', logger='silent')
    state = load_safely(saved)['state_dict']
    assert torch.equal(loaded.line.weight, state['line.weight'])


def test_history_survives(tmp_path):
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    content = dict(
        history=history,
        meta=ConfigDict(classes=('a', 'b')),
        order=OrderedDict(a=1),
        scalars=[np.float64(0.5), np.int64(3), np.bool_(True)],
        arrays=[np.arange(3, dtype=np.uint8), np.array(['x'])],
    )
    path = str(tmp_path / 'own.pth')
    torch.save(content, path)
    back = CheckpointLoader.load_checkpoint(path, 'cpu', logger='silent')
    assert back['history'].mean() == 2 and back['history'].min() == 1
    assert back['meta'].classes == ('a', 'b')
    assert back['scalars'] == [0.5, 3, True]
    assert back['arrays'][0].tolist() == [0, 1, 2]
    assert back['arrays'][1].tolist() == ['x']


@pytest.mark.parametrize('package', [b'core', b'_core'])
def test_both_numpy_generations(tmp_path, package):
    """A pickle of numpy 1 says numpy.core, one of numpy 2 numpy._core."""
    path = tmp_path / 'numpy.pth'
    torch.save(
        dict(a=np.float64(0.5), b=np.arange(3.0)), path, _use_new_zipfile_serialization=False
    )
    raw = path.read_bytes()
    own = b'numpy._core.' if b'numpy._core.' in raw else b'numpy.core.'
    path.write_bytes(raw.replace(own, b'numpy.' + package + b'.'))
    back = load_safely(str(path))
    assert back['a'] == 0.5 and back['b'].tolist() == [0, 1, 2]


class Evil:
    """Runs a command when unpickled without care."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'function, args, name',
    [
        (os.mkdir, ('made',), 'mkdir'),
        (getattr, (HistoryBuffer, '__init__'), '__init__'),
        (getattr, (dict, 'get'), 'dict'),
    ],
)
def test_anything_else_is_refused(tmp_path, monkeypatch, function, args, name):
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / 'evil.pth')
    torch.save(dict(state_dict={}, evil=Evil(function, *args)), path)
    with pytest.raises(ValueError) as info:
        CheckpointLoader.load_checkpoint(path, 'cpu', logger='silent')
    assert name in str(info.value) and path in str(info.value)
    assert not os.path.exists('made')


def test_own_class_is_named(tmp_path):
    path = str(tmp_path / 'own.pth')
    torch.save(dict(model=Line()), path)
    with pytest.raises(ValueError, match=r'refused.*Line|Line.*refused'):
        CheckpointLoader.load_checkpoint(path, 'cpu', logger='silent')


def test_schemes_over_the_network_are_safe_too(tmp_path, monkeypatch):
    path = tmp_path / 'evil-01234567.pth'
    torch.save(dict(evil=Evil(os.mkdir, str(tmp_path / 'made'))), path)
    with pytest.raises(ValueError, match='evil-01234567.pth.*mkdir'):
        checkpoint.load_from_http(path.as_uri(), 'cpu', model_dir=str(tmp_path / 'cache'))
    assert not (tmp_path / 'made').exists()
    torch.save(dict(w=torch.ones(2)), path)
    back = checkpoint.load_from_http(path.as_uri(), 'cpu', model_dir=str(tmp_path / 'cache2'))
    assert back['w'].tolist() == [1, 1]


def test_onedl_fallback_is_shut(tmp_path):
    if not hasattr(checkpoint, '_safe_torch_load'):
        pytest.skip('the stock mmengine has no fallback to shut')
    path = str(tmp_path / 'evil.pth')
    torch.save(dict(evil=Evil(os.mkdir, str(tmp_path / 'made'))), path)
    with pytest.raises(ValueError, match='mkdir'):
        checkpoint._safe_torch_load(path)
    assert not (tmp_path / 'made').exists()


def test_an_onnx_file_is_not_called_damaged(tmp_path):
    path = tmp_path / 'clip.ONNX'
    path.write_bytes(bytes([8, 8]) + b'pytorch')
    with pytest.raises(ValueError, match='clip.ONNX" is an ONNX file'):
        load_safely(str(path))


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / 'cut.pth'
    torch.save(dict(w=torch.ones(100)), path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=re.escape(str(path))):
        load_safely(str(path))
    path.write_bytes(b'')
    with pytest.raises(ValueError, match='damaged'):
        load_safely(str(path))
    path.write_bytes(pickle.dumps('text', protocol=0)[:3])
    with pytest.raises(ValueError, match='damaged'):
        load_safely(str(path))
    with pytest.raises(FileNotFoundError, match='none.pth'):
        CheckpointLoader.load_checkpoint('none.pth', 'cpu', logger='silent')
