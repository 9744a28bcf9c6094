"""A process that is killed while it saves leaves a whole checkpoint."""

from types import SimpleNamespace as Box

import pytest
import torch
from clip_line import train, write_data
from mmengine.logging import MessageHub

from mmcico.engine import WholeCheckpointHook
from mmcico.engine.checkpoint_hook import WholeLocalBackend, bad_tensors


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp('data'))


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth*'))


def test_a_death_while_saving_leaves_the_checkpoint_before(data, tmp_path, monkeypatch):
    synced = []

    def die_at_the_second(file):
        synced.append(file)
        if len(synced) == 2:
            raise SystemExit(137)

    monkeypatch.setattr('mmcico.engine.checkpoint_hook.os.fsync', die_at_the_second)
    assert train(data, tmp_path, 'default_hooks.checkpoint.max_keep_ckpts=1') == 137
    assert names(tmp_path) == ['epoch_1.pth', 'epoch_2.pth.part']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'epoch_1.pth')
    last = tmp_path / 'epoch_1.pth'
    assert train(data, tmp_path, 'default_hooks.checkpoint.max_keep_ckpts=1', resume=last) == 0
    assert names(tmp_path) == ['epoch_2.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'epoch_2.pth')


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / 'a.pth'
    WholeLocalBackend().put(b'old', path)

    def full(file):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('mmcico.engine.checkpoint_hook.os.fsync', full)
    with pytest.raises(OSError, match='a.pth: No space left'):
        WholeLocalBackend().put(b'new', path)
    assert path.read_bytes() == b'old' and names(tmp_path) == ['a.pth']


def test_the_best_checkpoint_is_removed_after_the_new_best(tmp_path):
    hook = WholeCheckpointHook(interval=1, save_best='AP', rule='greater', max_keep_ckpts=1)
    hub = MessageHub('best')
    seen = []

    def save(folder, filename, *args, **kwargs):
        seen.append(names(tmp_path))
        (tmp_path / filename).write_text('')

    runner = Box(
        work_dir=str(tmp_path),
        message_hub=hub,
        logger=Box(info=print),
        model=torch.nn.Linear(1, 1),
        save_checkpoint=save,
        iter=3,
    )
    hook.before_train(runner)
    for epoch in (1, 2):
        runner.epoch = epoch - 1
        hook.after_train_epoch(Box(**vars(runner), max_epochs=9))
        runner.epoch = epoch
        hook.after_val_epoch(runner, dict(AP=epoch / 10))
    assert names(tmp_path) == ['best_AP_epoch_2.pth', 'epoch_2.pth']
    # epoch 2, its best, and epoch 2 again to name the best
    assert seen[3:] == [
        ['best_AP_epoch_1.pth', 'epoch_1.pth'],
        ['best_AP_epoch_1.pth', 'epoch_2.pth'],
        ['best_AP_epoch_1.pth', 'best_AP_epoch_2.pth', 'epoch_2.pth'],
    ]


def test_bad_tensors_are_named():
    model = torch.nn.BatchNorm1d(2)
    assert bad_tensors(model) == []
    model.running_var[1] = float('inf')
    assert bad_tensors(model) == ['running_var']
