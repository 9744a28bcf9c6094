"""Trainings of the model of a few numbers, for the tests of hooks."""

from pathlib import Path

import torch
from processes import forked
from tool_runs import options, run_here

from mmcico.datasets.moving_shapes import make_config, write_dataset

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIG = HERE / 'clip_line_config.py'


def write_data(folder):
    """Three videos of four frames, 32 x 48."""
    write_dataset(folder, 3, seed=0, config=make_config('easy', size=(32, 48), num_frames=4))
    return folder


ITERATIONS = """
_base_ = '{config}'
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=8, val_interval=99)
train_dataloader = dict(sampler=dict(type='{sampler}'))
param_scheduler = [dict(type='ConstantLR', factor=1.0, by_epoch=False)]
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=2))
log_processor = dict(by_epoch=False)
"""


def iteration_config(folder, sampler='InfiniteSampler'):
    """A config whose loop counts steps."""
    path = folder / 'iterations.py'
    path.write_text(ITERATIONS.format(config=CONFIG, sampler=sampler))
    return path


def train(data, work, *extra, resume=None, config=CONFIG, launcher='none'):
    """Train in this process; the exit code."""
    go_on = () if resume is None else ('--resume', resume)
    settings = options(f'train_dataloader.dataset.data_root={data}', *extra)
    return run_here(
        'train.py', config, '--work-dir', work, '--launcher', launcher, *go_on, *settings
    )


def train_in_two(data, work, *extra, resume=None, config=CONFIG):
    """Train in two processes; what has ended."""
    settings = dict(resume=resume, config=config, launcher='pytorch')
    return forked(2, lambda: train(data, work, *extra, **settings))


def weights(path):
    """The plane and the momentum in a checkpoint."""
    content = torch.load(path, weights_only=True)
    state = content['optimizer']['state'][0]['momentum_buffer']
    return content['state_dict']['plane'], state
