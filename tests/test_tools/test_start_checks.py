"""What tools find out before hours have gone: keys, weights, schedules, checkpoints."""

import os
import zipfile
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from tool_runs import options, run_here, tool_module

from mmcico.engine import WeightsFitHook
from mmcico.utils.launch import check_keys
from mmcico.utils.package_files import package_configs, package_root

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tiny_config.py')


@pytest.fixture
def cfg():
    return Config(dict(train_cfg=dict(max_epochs=2), optim_wrapper=dict(type='A'), my_size=3))


@pytest.mark.parametrize(
    'key, value, meant',
    [
        ('optim_wraper', dict(), 'optim_wrapper'),
        ('eficient_conv_bn_eval', ['backbone'], 'efficient_conv_bn_eval'),
        ('default_hook', dict(), 'default_hooks'),
        ('max_epochs', 7, 'train_cfg.max_epochs'),
    ],
)
def test_keys_that_nothing_reads_are_named(cfg, key, value, meant):
    with pytest.raises(ValueError, match=f'the key "{key}"; did you mean "{meant}"'):
        check_keys(Config({**cfg, key: value}), {})
    with pytest.raises(ValueError, match=f'--cfg-options: .*"{key}"; did you mean "{meant}"'):
        check_keys(cfg, {f'{key}.a' if value == {} else key: value})


def test_variables_and_new_parts_are_fine(cfg):
    check_keys(Config(dict(cfg, max_epochs=2, image_scale=3)), {'randomness.seed': 1, 'my_size': 4})


@pytest.mark.parametrize('path', package_configs()[::15], ids=lambda path: path.stem)
def test_configs_of_the_package_have_no_such_keys(path):
    check_keys(Config.fromfile(path), {})


def test_mistyped_arguments_end_in_one_line(tmp_path, capsys):
    args = (CONFIG, '--work-dir', tmp_path, *options('train_dataloader.dataset.lenght=3'))
    assert run_here('train.py', *args) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert 'unexpected keyword argument \'lenght\'; did you mean "length"?' in line


def test_missing_packages_end_in_one_line(tmp_path, capsys):
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{CONFIG}'\nvisualizer = dict(type='Visualizer', "
        "vis_backends=[dict(type='WandbVisBackend')])"
    )
    with mock.patch.dict('sys.modules', wandb=None):
        assert run_here('train.py', config, '--work-dir', tmp_path, *options()) == 1
    assert 'pip install wandb' in capsys.readouterr().err.splitlines()[-1]


def test_the_newest_whole_checkpoint_is_found(tmp_path):
    find = tool_module('train.py').newest_checkpoint
    assert find(str(tmp_path)) is None
    for number in (1, 2, 3):
        path = tmp_path / f'iter_{number}.pth'
        torch.save(dict(a=number), path)
        os.utime(path, (number, number))
    cut = tmp_path / 'iter_3.pth'
    cut.write_bytes(cut.read_bytes()[:-40])
    os.utime(cut, (3, 3))
    assert not zipfile.is_zipfile(cut)
    second = str(tmp_path / 'iter_2.pth')
    assert find(str(tmp_path)) == second
    named = tmp_path / 'last_checkpoint'
    for text in ('', str(cut), '/moved/iter_3.pth', 'gone.pth'):
        named.write_text(text)
        assert find(str(tmp_path)) == second
    named.write_text('/moved/iter_1.pth')
    assert find(str(tmp_path)) == str(tmp_path / 'iter_1.pth')
    for number in (1, 2):
        (tmp_path / f'iter_{number}.pth').write_bytes(b'cut')
    with pytest.raises(ValueError, match='no whole checkpoint.*iter_3.pth'):
        find(str(tmp_path))


def test_a_training_too_short_for_its_schedule_is_told(tmp_path, capsys):
    more = 'param_scheduler.0.milestones=[1,9]', 'train_cfg.max_epochs=1'
    assert run_here('train.py', CONFIG, '--work-dir', tmp_path, *options(*more)) == 0
    said = capsys.readouterr()
    text = ' '.join((said.out + said.err).split())
    assert (
        'the training has 1 epochs, but MultiStepLR of param_scheduler reaches a milestone' in text
    )
    assert 'only at 9' in text


@pytest.mark.parametrize(
    'loop', [dict(type='IterBasedTrainLoop', max_iters=9), dict(by_epoch=True, max_epochs=9)]
)
def test_a_warm_up_longer_than_the_training_is_told(tmp_path, capsys, loop):
    """Lengths of --cfg-options count; the four steps of an epoch are counted as well."""
    config = tmp_path / 'config.py'
    warm_up = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=7)
    loop = dict(loop, _delete_=True)
    config.write_text(f"_base_ = '{CONFIG}'\ntrain_cfg = {loop}\nparam_scheduler = [{warm_up}]\n")
    length = 'train_cfg.max_iters=2' if 'type' in loop else 'train_cfg.max_epochs=1'
    assert run_here('train.py', config, '--work-dir', tmp_path, *options(length)) == 0
    said = capsys.readouterr()
    text = ' '.join((said.out + said.err).split())
    steps = 2 if 'type' in loop else 4
    assert f'the training has {steps} steps, but LinearLR of param_scheduler reaches its' in text
    assert 'only at 7, so that the learning rate never gets as high as it is set' in text


def test_no_warning_if_the_schedule_ends_in_time(tmp_path, capsys):
    assert run_here('train.py', CONFIG, '--work-dir', tmp_path, *options()) == 0
    said = capsys.readouterr()
    assert 'of param_scheduler reaches' not in said.out + said.err


def test_validation_refuses_weights_that_do_not_fit(tmp_path):
    """The hook is on for every config on the common base, with no tool in between."""
    cfg = Config.fromfile(CONFIG)
    base = Config.fromfile(package_root() / 'configs' / '_base_' / 'default_runtime.py')
    cfg.default_hooks.weights_fit = base.default_hooks.weights_fit
    cfg.val_dataloader, cfg.val_evaluator = cfg.test_dataloader, cfg.test_evaluator
    cfg.val_cfg, cfg.work_dir, cfg.load_from = {}, str(tmp_path), str(tmp_path / 'w.pth')
    cfg.experiment_name = 'validation_of_weights'
    cfg.custom_imports.imports.append('mmcico.registry')
    runner = Runner.from_cfg(cfg)
    runner.model.backbone = torch.nn.Linear(2, 3)
    weights = runner.model.state_dict()
    torch.save(dict(state_dict={**weights, 'backbone.weight': torch.zeros(4, 2)}), cfg.load_from)
    with pytest.raises(ValueError, match=r'(?s)w.pth do not fit.*is \(4, 2\) instead of \(3, 2\)'):
        runner.val()
    runner._has_loaded = False
    torch.save(dict(state_dict=weights), cfg.load_from)
    assert runner.val() == dict(clips=5)


@pytest.fixture
def runner():
    model = torch.nn.Module()
    model.backbone, model.extra = torch.nn.Linear(2, 3), torch.nn.Linear(1, 1)
    return mock.Mock(model=model, optim_wrapper={}, _load_from='w.pth')


def weights_of(runner, **changes):
    return dict(state_dict={**runner.model.state_dict(), **changes})


def test_weights_that_do_not_fit_are_not_tested(runner):
    hook = WeightsFitHook()
    hook.after_load_checkpoint(runner, weights_of(runner))
    state = runner.model.state_dict()
    hook.after_load_checkpoint(runner, dict(state_dict={f'module.{k}': state[k] for k in state}))
    # what is not part of the network may be missing
    fewer = {k: v for k, v in state.items() if not k.startswith('extra')}
    hook.after_load_checkpoint(runner, dict(state_dict=fewer))
    wrong = weights_of(runner, **{'backbone.weight': torch.zeros(4, 2)})
    with pytest.raises(ValueError, match=r'(?s)w.pth do not fit.*is \(4, 2\) instead of \(3, 2\)'):
        hook.after_load_checkpoint(runner, wrong)
    WeightsFitHook(allow_partial=True).after_load_checkpoint(runner, wrong)
    runner.optim_wrapper = OptimWrapper(torch.optim.SGD(runner.model.parameters(), lr=1.0))
    hook.after_load_checkpoint(runner, wrong)
