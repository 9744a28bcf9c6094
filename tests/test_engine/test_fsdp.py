"""A model whose parameters are shared among processes (FSDP) by MMEngine's strategy."""

import pytest
import torch
from clip_line import CONFIG, train, train_in_two, write_data

FSDP = f"""
_base_ = '{CONFIG}'
runner_type = 'FlexibleRunner'
strategy = dict(type='FSDPStrategy')
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp('data'))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'fsdp.py'
    path.write_text(FSDP)
    return path


@pytest.mark.slow
def test_two_processes_train_resume_and_stop(data, tmp_path, config):
    """Checkpoints are those of one process; a resumed training is equal, and NaN ends it."""
    done = train_in_two(data, tmp_path / 'whole', config=config)
    assert done.returncode == 0, done.stderr[-3000:]
    bad = ('train_cfg.max_epochs=3', 'model.bad=gradient', 'model.bad_step=5')
    first = tmp_path / 'whole' / 'epoch_1.pth'
    done = train_in_two(data, tmp_path / 'rest', *bad, resume=first, config=config)
    # steps 4 to 6 are the second epoch, the fifth after the checkpoint is step 8
    assert done.returncode == 1 and 'in step 8 of the training (epoch 3)' in done.stderr
    assert done.stderr.count('error: the norm of the gradients is') == 2, done.stderr[-3000:]
    states = []
    for folder in ('whole', 'rest'):
        content = torch.load(tmp_path / folder / 'epoch_2.pth', weights_only=False)
        momentum = content['optimizer']['state']['plane']['momentum_buffer']
        states.append((content['state_dict']['plane'], momentum))
    for whole, rest in zip(*states):
        assert whole.shape == (32, 48) and torch.equal(whole, rest)
    assert not torch.equal(torch.load(first, weights_only=False)['state_dict']['plane'], whole)


@pytest.mark.parametrize(
    'setting, message',
    [
        ('launcher=pytorch', 'clip_grad is set, and with FSDPStrategy'),
        ('launcher=none', 'FSDPStrategy shares a model among processes; start them by'),
        ('runner_type=None', "strategy is read by FlexibleRunner alone; set runner_type='Flex"),
        ('strategy.model_wrapper=wrapped', 'auto_wrap_policy makes every part of a model wait'),
        ('strategy.state_dict_cfg=local', "state_dict_cfg='local' saves parts that cannot be"),
    ],
)
def test_what_cannot_work_is_refused(config, setting, message):
    from mmcico.utils.launch import read_config, set_sharding

    cfg = read_config(str(config), dict([setting.split('=')]))
    if setting == 'launcher=pytorch':
        cfg.optim_wrapper.clip_grad = dict(max_norm=1)
    if 'wrapped' in setting:
        cfg.strategy.model_wrapper = dict(auto_wrap_policy='size')
    if cfg.runner_type == 'None':
        cfg.pop('runner_type')
    cfg.setdefault('launcher', 'pytorch')
    with pytest.raises(ValueError, match=message) as error:
        set_sharding(cfg)
    assert 'fsdp.py: ' in str(error.value)


def test_one_process_ends_in_a_line(data, tmp_path, config, capsys):
    assert train(data, tmp_path / 'work', config=config) == 1
    assert 'error: ' in capsys.readouterr().err
