"""A resumed training ends bit by bit where it would have; no test gives a seed."""

import multiprocessing
import random

import numpy as np
import pytest
import torch
from clip_line import CONFIG, iteration_config, train, train_in_two, weights, write_data
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from mmcico.datasets.samplers import NumberedSampler, SeededItems
from mmcico.utils.numerics import seeded

WORKERS = 'train_dataloader.num_workers={}'


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp('data'))


def assert_equal(first, second):
    for a, b in zip(weights(first), weights(second)):
        assert torch.equal(a, b)


@pytest.mark.parametrize('workers, persistent', [(0, False), (2, True)])
def test_epochs_go_on_exactly(data, tmp_path, workers, persistent):
    whole, rest = tmp_path / 'whole', tmp_path / 'rest'
    settings = (WORKERS.format(workers), f'train_dataloader.persistent_workers={persistent}')
    assert train(data, whole, *settings) == 0
    assert train(data, rest, *settings, resume=whole / 'epoch_1.pth') == 0
    assert_equal(whole / 'epoch_2.pth', rest / 'epoch_2.pth')
    other = tmp_path / 'other'
    assert train(data, other, *settings, 'train_cfg.max_epochs=1') == 0
    assert not torch.equal(weights(other / 'epoch_1.pth')[0], weights(whole / 'epoch_1.pth')[0])


def test_an_interrupted_epoch_is_finished(data, tmp_path):
    whole, rest = tmp_path / 'whole', tmp_path / 'rest'
    steps = ('default_hooks.checkpoint.by_epoch=False', 'default_hooks.checkpoint.interval=4')
    assert train(data, whole, *steps) == 0
    assert train(data, rest, *steps, resume=whole / 'iter_8.pth') == 0
    assert_equal(whole / 'iter_12.pth', rest / 'iter_12.pth')


@pytest.mark.parametrize(
    'workers, sampler', [(0, 'InfiniteSampler'), (0, 'DefaultSampler'), (2, 'DefaultSampler')]
)
def test_iterations_go_on_exactly(data, tmp_path, sampler, workers, monkeypatch):
    monkeypatch.setattr('time.sleep', lambda seconds: None)  # MMEngine waits between epochs
    config = iteration_config(tmp_path, sampler)
    whole, rest = tmp_path / 'whole', tmp_path / 'rest'
    settings = (WORKERS.format(workers), 'train_cfg.max_iters=14')
    assert train(data, whole, *settings, config=config) == 0
    loads = []
    if not workers:
        fetch = SeededItems.__call__
        monkeypatch.setattr(
            SeededItems, '__call__', lambda self, each: loads.append(len(each)) or fetch(self, each)
        )
    assert train(data, rest, *settings, config=config, resume=whole / 'iter_8.pth') == 0
    assert_equal(whole / 'iter_14.pth', rest / 'iter_14.pth')
    assert sum(loads) == (0 if workers else 12)  # what was trained on is not loaded again


@pytest.mark.parametrize('enabled', [True, False])
def test_a_runner_trains_again(data, tmp_path, enabled):
    cfg = Config.fromfile(iteration_config(tmp_path))
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'again_{enabled}'
    cfg.train_dataloader.update(num_workers=1, persistent_workers=True)
    cfg.train_dataloader.dataset.data_root = str(data)
    cfg.default_hooks.reproducible.enabled = enabled
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert len(multiprocessing.active_children()) == (0 if enabled else 1)
    runner.train_loop._max_iters += 4
    runner.train()
    assert runner.iter == 12
    # the garbage collector would wait for the worker
    runner.train_loop.dataloader_iterator = runner.train_dataloader._iterator = None


def test_workers_end_with_a_test(data, tmp_path):
    cfg = Config.fromfile(CONFIG)
    cfg.work_dir, cfg.experiment_name = str(tmp_path), 'workers_of_a_test'
    cfg.train_dataloader.dataset.data_root = str(data)
    loader = dict(cfg.train_dataloader, num_workers=1, persistent_workers=True)
    loader['sampler'] = dict(type='DefaultSampler', shuffle=False)
    cfg.test_dataloader, cfg.test_evaluator, cfg.test_cfg = loader, [], {}
    runner, before = Runner.from_cfg(cfg), set(multiprocessing.active_children())
    for _ in range(2):
        runner.test()
        assert before.issuperset(multiprocessing.active_children())


def test_workers_and_seeds_of_the_config(data, tmp_path):
    for name, workers in (('none', 0), ('two', 2)):
        assert train(data, tmp_path / name, WORKERS.format(workers), 'randomness.seed=5') == 0
    assert_equal(tmp_path / 'none' / 'epoch_2.pth', tmp_path / 'two' / 'epoch_2.pth')
    off = 'default_hooks.reproducible.enabled=False'
    assert train(data, tmp_path / 'off', 'randomness.seed=5', off) == 0
    found = [weights(tmp_path / name / 'epoch_2.pth')[0] for name in ('none', 'off')]
    assert not torch.equal(*found)


@pytest.mark.slow
def test_two_processes_go_on_exactly(data, tmp_path):
    whole, rest = tmp_path / 'whole', tmp_path / 'rest'
    settings = (WORKERS.format(2),)
    done = train_in_two(data, whole, *settings)
    assert done.returncode == 0, done.stderr[-3000:]
    done = train_in_two(data, rest, *settings, resume=whole / 'epoch_1.pth')
    assert done.returncode == 0, done.stderr[-3000:]
    assert_equal(whole / 'epoch_2.pth', rest / 'epoch_2.pth')


class Draws(Dataset):
    """Samples of what the three generators draw."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return index, random.random(), np.random.rand(), torch.rand(1).item()


def draws(sampler, workers=0, skip=0):
    dataset = Draws()
    numbered = NumberedSampler(sampler, seed=3)
    numbered.skip = skip
    dataset.__getitems__ = SeededItems(dataset)
    loader = DataLoader(dataset, 2, sampler=numbered, num_workers=workers, collate_fn=list)
    return [each for batch in loader for each in batch]


def test_samples_depend_on_their_place_alone():
    sampler = DefaultSampler(Draws(), seed=0)
    first = draws(sampler)
    assert len(set(first)) == 6 and draws(sampler, workers=2) == first
    assert draws(sampler, skip=4) == first[4:]
    sampler.set_epoch(1)
    assert not {values[1:] for values in draws(sampler)} & {values[1:] for values in first}


def test_generators_are_put_back():
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    with seeded(7):
        inside = random.random(), np.random.rand(), torch.rand(1)
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected
    with seeded(7):
        assert (random.random(), np.random.rand(), torch.rand(1)) == inside
    with seeded(7, 0):
        assert random.random() != inside[0]


def test_places_are_counted_over_processes(monkeypatch):
    monkeypatch.setattr('mmcico.datasets.samplers.get_dist_info', lambda: (1, 2))
    indices = iter(NumberedSampler(InfiniteSampler(Draws(), seed=0), seed=3))
    assert [next(indices).numbers for _ in range(2)] == [(3, 0, 1), (3, 0, 3)]
