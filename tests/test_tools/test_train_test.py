"""tools/train.py, tools/test.py and the scripts of two processes."""

import glob
import json
import os
import os.path as osp
import pickle
import re
import subprocess
import sys

import mmengine.runner.checkpoint
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from processes import free_port
from tool_runs import options, run_here, tool_module

from mmcico.models.vis.augmentation import mirror_motion
from mmcico.utils.launch import set_output_folder

HERE = osp.dirname(osp.abspath(__file__))
ROOT = osp.dirname(osp.dirname(HERE))
CONFIG = osp.join(HERE, 'tiny_config.py')


def run_script(*command):
    """Run a shell script from the repository."""
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHON=sys.executable)
    env['PYTHONPATH'] = HERE
    env['PORT'] = str(free_port())
    return subprocess.run(
        ['bash', *map(str, command)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    assert run_here('train.py', CONFIG, '--work-dir', work_dir, *options()) == 0
    return work_dir


def last_iteration(path):
    return torch.load(path, weights_only=True)['meta']['iter']


def log_lines(work_dir):
    """Everything that the runs in ``work_dir`` logged, in their order."""
    lines = []
    for path in sorted(glob.glob(f'{work_dir}/*/vis_data/*.json')):
        if not path.endswith('scalars.json'):
            with open(path) as file:
                lines += [json.loads(line) for line in file]
    return [line for line in lines if 'epoch' in line]


def metrics(work_dir):
    (path,) = glob.glob(f'{work_dir}/*/*.json')
    with open(path) as file:
        return json.load(file)


def test_train_writes_what_users_look_for(trained):
    assert last_iteration(trained / 'epoch_2.pth') == 8
    assert (trained / 'tiny_config.py').exists()
    assert [line['epoch'] for line in log_lines(trained)] == [1] * 4 + [2] * 4


def test_resume_from_path_and_from_the_work_dir(trained, tmp_path):
    assert (
        run_here(
            'train.py',
            CONFIG,
            '--work-dir',
            tmp_path / 'path',
            '--resume',
            trained / 'epoch_1.pth',
            *options(),
        )
        == 0
    )
    assert {line['epoch'] for line in log_lines(tmp_path / 'path')} == {2}
    first = torch.load(trained / 'epoch_2.pth', weights_only=True)
    second = torch.load(tmp_path / 'path' / 'epoch_2.pth', weights_only=True)
    for name, value in first['state_dict'].items():
        assert torch.equal(second['state_dict'][name], value)
    assert (
        run_here(
            'train.py',
            CONFIG,
            '--work-dir',
            tmp_path / 'path',
            *options('train_cfg.max_epochs=3'),
            '--resume',
        )
        == 0
    )
    assert last_iteration(tmp_path / 'path' / 'epoch_3.pth') == 12


def test_a_training_that_resumes_from_nothing_keeps_its_weights(tmp_path, capsys):
    cfg = Config(dict(work_dir=str(tmp_path), load_from='start.pth', resume=True))
    tool_module('train.py').set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, 'start.pth')
    assert (
        'no checkpoint to resume; the training begins with the weights' in capsys.readouterr().out
    )


def test_cfg_options_and_auto_scale_lr(tmp_path):
    assert (
        run_here(
            'train.py',
            CONFIG,
            '--work-dir',
            tmp_path,
            '--auto-scale-lr',
            *options('train_cfg.max_epochs=1', 'optim_wrapper.optimizer.lr=0.2'),
        )
        == 0
    )
    # 2 clips a step against 8: 0.2 / 4
    assert {line['lr'] for line in log_lines(tmp_path)} == {0.05}


def test_test_evaluates_and_dumps(trained, tmp_path):
    assert (
        run_here(
            'test.py',
            CONFIG,
            trained / 'epoch_2.pth',
            '--work-dir',
            tmp_path,
            '--out',
            tmp_path / 'all.pkl',
            *options(),
        )
        == 0
    )
    assert metrics(tmp_path)['clips'] == 5
    with open(tmp_path / 'all.pkl', 'rb') as file:
        clips = pickle.load(file)
    assert len(clips) == 5
    (frame,) = clips[0]['frames']
    assert frame['video_id'] == 1
    assert frame['pred_track_instances']['instances_id'].tolist() == [4]
    (rle,) = frame['pred_track_instances']['masks']
    assert rle['size'] == [2, 3]


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason='CPU processes only')
def test_two_processes_on_the_cpu(tmp_path):
    done = run_script('tools/dist_train.sh', CONFIG, 2, '--work-dir', tmp_path)
    assert done.returncode == 0, done.stdout
    # 8 samples, 2 a step, 2 processes, 2 epochs
    assert last_iteration(tmp_path / 'epoch_2.pth') == 4
    # two processes test in test_end_to_end.py
    done = run_script(
        'tools/dist_test.sh', CONFIG, tmp_path / 'epoch_2.pth', 1, '--work-dir', tmp_path / 'test'
    )
    assert done.returncode == 0, done.stdout
    assert metrics(tmp_path / 'test')['clips'] == 5


@pytest.mark.skipif(torch.cuda.is_available(), reason='CPU processes only')
def test_no_thread_of_the_group_outlives_a_job(tmp_path):
    group = dict(WORLD_SIZE=1, RANK=0, LOCAL_RANK=0)
    group.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port())
    env = dict(os.environ, **{name: str(value) for name, value in group.items()})
    env['PYTHONPATH'] = os.pathsep.join([HERE, osp.dirname(HERE)])
    tool = [sys.executable, osp.join(HERE, 'train_and_look.py'), CONFIG, '--launcher', 'pytorch']
    command = [*tool, '--work-dir', str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert 'gloo threads left: []' in done.stdout, done.stderr
    # the group ends after the wrapper of the model, which would wait for threads with Python's lock
    assert re.search(r'gloo threads after collection: [1-9]', done.stdout), done.stdout


@pytest.mark.parametrize(
    'args, text',
    [
        (['none.py'], 'config "none.py" does not exist'),
        ([CONFIG, '--resume', 'none.pth'], 'checkpoint "none.pth" does not exist'),
        ([CONFIG, '--launcher', 'slurm'], 'needs SLURM_PROCID, SLURM_NTASKS'),
        ([CONFIG, *options('model.type=Nothing')], 'Nothing is not in the mmdet::model registry'),
        ([CONFIG, *options('model.fail=user')], 'error: video 3, frame 7: the mask is too small'),
    ],
)
def test_user_errors_are_one_line(args, text, tmp_path, capsys):
    assert run_here('train.py', *args, '--work-dir', tmp_path) == 1
    err = capsys.readouterr().err
    assert text in err.splitlines()[-1]
    assert 'Traceback' not in err


def test_test_checks_its_files_first(trained, tmp_path, capsys):
    assert run_here('test.py', CONFIG, 'none.pth', '--work-dir', tmp_path) == 1
    assert 'checkpoint "none.pth" does not exist' in capsys.readouterr().err
    assert (
        run_here(
            'test.py', CONFIG, trained / 'epoch_2.pth', '--work-dir', tmp_path, '--out', 'all.json'
        )
        == 1
    )
    assert 'must end in .pkl' in capsys.readouterr().err
    assert (
        run_here(
            'test.py',
            CONFIG,
            trained / 'epoch_2.pth',
            '--work-dir',
            tmp_path,
            '--show-dir',
            'shown',
        )
        == 1
    )
    assert '"visualization" in default_hooks' in capsys.readouterr().err


def test_augmentation_is_set_for_models_of_this_package(trained, tmp_path, capsys):
    args = ('test.py', CONFIG, trained / 'epoch_2.pth', '--work-dir', tmp_path, '--tta')
    assert run_here(*args) == 1
    assert '--tta is for model.type "mmcico.CiCo"' in capsys.readouterr().err
    cfg = Config(dict(model=dict(type='mmcico.CiCo')))
    set_tta = tool_module('test.py').set_tta
    set_tta(cfg, [1.5])
    assert cfg.model.test_cfg.tta == dict(flip=True, scales=[1.0, 1.5])
    cfg.test_dataloader = dict(dataset=dict(pipeline=[dict(type='mmcico.ClipMotion')]))
    set_tta(cfg, [])
    mirror_motion(cfg)
    assert cfg.model.test_cfg.tta == dict(flip=True, scales=[1.0], negated=[1])
    with pytest.raises(ValueError, match='must be above 0'):
        set_tta(cfg, [0.0])


@pytest.mark.parametrize(
    'tool, stage', [('train.py', 'test'), ('train.py', 'val'), ('test.py', 'test')]
)
def test_tools_let_mirror_images_change_the_sign_of_motion(
    tool, stage, trained, tmp_path, monkeypatch
):
    config, built = tmp_path / 'motion.py', []
    config.write_text(
        f'_base_ = {CONFIG!r}\nmodel = dict(test_cfg=dict(tta=dict(flip=True)))\n'
        f"{stage}_dataloader = dict(dataset=dict(pipeline=[dict(type='mmcico.ClipMotion')]))\n"
    )

    def build(cfg):
        built.append(cfg.model.test_cfg.tta)
        raise ValueError('nothing is run')

    monkeypatch.setattr(Runner, 'from_cfg', build)
    weights = [trained / 'epoch_2.pth'] if tool == 'test.py' else []
    assert run_here(tool, config, *weights, '--work-dir', tmp_path) == 1
    assert built == [dict(flip=True, negated=[1])]


def test_debug_and_our_own_mistakes_raise(tmp_path):
    args = (CONFIG, '--work-dir', tmp_path)
    with pytest.raises(ValueError, match='frame 7'):
        run_here('train.py', *args, *options('model.fail=user'), '--debug')
    with pytest.raises(TypeError, match='mistake'):
        run_here('train.py', *args, *options('model.fail=bug'))


def test_wrong_arguments_end_in_usage(capsys):
    assert run_here('test.py') == 2
    assert run_here('train.py', CONFIG, '--cfg-options', 'a') == 2
    err = capsys.readouterr().err
    assert 'usage' in err and '"a" is not of the form key=value' in err


@pytest.mark.parametrize(
    'script',
    ['tools/dist_train.sh', 'tools/dist_test.sh', 'tools/slurm_train.sh', 'tools/slurm_test.sh'],
)
def test_scripts_explain_themselves(script):
    done = run_script(script)
    assert done.returncode == 2 and script in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU trains in float16')
def test_amp_on_a_cpu_computes_in_bfloat16(tmp_path, monkeypatch):
    seen = []
    forward = torch.nn.functional.linear

    def linear(*args):
        y = forward(*args)
        seen.append(y.dtype)
        return y

    monkeypatch.setattr(torch.nn.functional, 'linear', linear)
    assert run_here('train.py', CONFIG, '--amp', '--work-dir', tmp_path, *options()) == 0
    assert set(seen) == {torch.bfloat16}
    weights = torch.load(next(tmp_path.glob('*.pth')), weights_only=True)['state_dict']
    assert {each.dtype for each in weights.values() if each.is_floating_point()} == {torch.float32}


def test_amp_on_a_cpu_leaves_settings_of_float16_out(monkeypatch):
    tool = tool_module('train.py')
    monkeypatch.setattr(tool, 'get_device', lambda: 'cpu')
    wrapper = dict(loss_scale='dynamic', dtype='float16', use_fsdp=False, accumulative_counts=2)
    cfg = Config(dict(optim_wrapper=dict(type='AmpOptimWrapper', **wrapper)))
    tool.use_amp(cfg)
    assert cfg.optim_wrapper == dict(type='mmcico.BFloat16OptimWrapper', accumulative_counts=2)


def test_metrics_write_into_the_work_dir():
    cfg = mmengine.config.Config(
        dict(
            work_dir='here',
            test_evaluator=[
                dict(type='mmcico.VISMetric'),
                dict(type='mmcico.VISMetric', outdir='there'),
                dict(type='CocoMetric'),
            ],
        )
    )
    set_output_folder(cfg.test_evaluator, cfg.work_dir)
    assert [each.get('outdir') for each in cfg.test_evaluator] == ['here', 'there', None]
