"""Trainings whose course is a function of their seed."""

from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import BatchSampler, DataLoader

from mmcico.datasets.samplers import NumberedSampler, SeededItems
from mmcico.registry import HOOKS
from mmcico.utils.numerics import seed_generators


class _Batches:
    """An iterator of an iteration-based loop, whose workers start with the first batch it loads.

    Args:
        like (Any): Iterator that MMEngine has made for the loop, or another one of this class.
        loader (Any): Loader of the loop.
        passes (int): Number of passes over the data set that count as done.
        steps (int): Number of batches that count as taken already.
    """

    def __init__(self, like: Any, loader: Any, passes: int = 0, steps: int = 0) -> None:
        self._kind: Any = like._kind if isinstance(like, _Batches) else type(like)
        self._loader = loader
        self._passes = passes
        self._steps = steps
        self._iterator: Any = None

    def __iter__(self) -> '_Batches':
        return self

    def __next__(self) -> Any:
        if self._steps:
            self._steps -= 1
            return None
        if self._iterator is None:
            self._iterator = self._kind(self._loader)
            self._iterator._epoch = self._passes
        return next(self._iterator)

    def skip_iter(self, num_iters: int) -> None:
        """Take batches that were trained on before; the onedl fork calls this when it resumes."""
        for _ in range(num_iters):
            next(self)


@HOOKS.register_module()
class ReproducibleHook(Hook):
    """Seeds every step and every sample of a training, so that a resumed one goes on exactly.

    Before a step, the generators of Python, NumPy and PyTorch are seeded by the seed of the
    training, the process and the number of the step; while a sample is loaded, by the seed,
    the epoch and the place of the sample in it (:class:`NumberedSampler`). Nothing depends on
    how far generators have run on, in this process or in loader workers, so that the seed and
    the number of the step, which every checkpoint holds, are all of their states. A training
    without a seed keeps the one that it drew.

    When an iteration-based training is resumed, its sampler is moved on without loading the
    samples that were trained on before. An epoch that a checkpoint interrupts is finished.

    The loader workers of a training, and of a test, end with it.

    Args:
        enabled (bool): Whether to seed. Defaults to True. Without, generators run on as MMEngine
            lets them, a resumed training draws other numbers, and the workers of a training stay.
    """

    priority = 'LOW'  # DistSamplerSeedHook sets the epoch of the sampler before

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def before_train(self, runner: Runner) -> None:
        """Number the samples of the training set and find the place to go on from."""
        if not self.enabled:
            return
        seeds = [runner.seed]
        broadcast_object_list(seeds)  # diff_rank_seed gives each process its own
        self._seed = seeds[0]
        self._numbered = None
        loop = runner.train_loop
        loader: Any = loop.dataloader
        if not hasattr(loader.batch_sampler, 'sampler'):
            print_log(
                'the batch sampler of the training has no "sampler": its samples cannot be '
                'numbered, and resuming will not repeat their augmentation',
                logger='current',
            )
            return
        numbered = self._number(runner, loader)
        skip = self._skipped_batches(loop, loader)
        if type(loader.batch_sampler) is BatchSampler:
            numbered.skip = skip * loader.batch_sampler.batch_size
        self._numbered = numbered

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed what is drawn at the start of an epoch, such as the order of a RandomSampler."""
        if not self.enabled:
            return
        seed_generators(self._seed, get_rank(), runner.iter, 1)
        if self._numbered is not None and hasattr(runner.train_loop, 'dataloader_iterator'):
            self._renew_iterator(runner.train_loop, self._numbered)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed what the model draws in a step."""
        if self.enabled:
            seed_generators(self._seed, get_rank(), runner.iter, 0)

    def after_train(self, runner: Runner) -> None:
        """End the loader workers.

        PyTorch waits five seconds for each worker of an iterator that the garbage collector finds,
        and what follows in this process, such as a test, needs their memory. Without seeds, they
        stay, since MMEngine's InfiniteSampler can be read by one iterator alone.
        """
        if not self.enabled:
            return
        for loop in (runner.train_loop, runner.val_loop):
            if hasattr(loop, 'dataloader_iterator'):
                loop.dataloader_iterator = _Batches(loop.dataloader_iterator, loop.dataloader)
            if loop is not None:
                _end_workers(loop.dataloader)

    def after_test(self, runner: Runner) -> None:
        """End the loader workers, as after a training; the samples of a test need no seeds."""
        _end_workers(runner.test_loop.dataloader)

    def _number(self, runner: Runner, loader: Any) -> NumberedSampler:
        """Wrap the sampler and the data set of a loader in place."""
        sampler = loader.batch_sampler.sampler
        if isinstance(sampler, NumberedSampler):
            sampler = sampler.sampler
        config = (runner.cfg.get('train_dataloader') or {}).get('sampler')
        if not (isinstance(config, dict) and config.get('seed') is not None):
            # the runner seeded it before it knew the seed of the checkpoint
            if hasattr(sampler, 'seed'):
                sampler.seed = self._seed
        if type(sampler) is InfiniteSampler:  # has been read from already
            sampler = InfiniteSampler(sampler.dataset, sampler.shuffle, sampler.seed)
        numbered = NumberedSampler(sampler, self._seed)
        loader.batch_sampler.sampler = numbered
        loader.dataset.__getitems__ = SeededItems(loader.dataset)
        return numbered

    @staticmethod
    def _skipped_batches(loop: Any, loader: Any) -> int:
        """Return how many batches of the sampler's next pass have been trained on already."""
        if hasattr(loop, 'dataloader_iterator'):
            endless = isinstance(loader.batch_sampler.sampler.sampler, InfiniteSampler)
            return loop.iter if endless else loop.iter % len(loader)
        skip = loop.iter - loop.epoch * len(loader)
        if 0 <= skip <= len(loader):
            return skip
        print_log(
            f'the checkpoint was saved in step {loop.iter} of epoch {loop.epoch + 1}, but an '
            f'epoch has {len(loader)} steps now: the data set, the batch size or the number of '
            'processes has changed; the training goes on with a whole epoch',
            logger='current',
        )
        return 0

    @staticmethod
    def _renew_iterator(loop: Any, numbered: NumberedSampler) -> None:
        """Let an iteration-based loop begin anew, with numbered samples, where it stopped.

        Its iterator was made, and may have begun to load, before the checkpoint was read.
        """
        loader = loop.dataloader
        can_skip = type(loader.batch_sampler) is BatchSampler and (
            isinstance(numbered.sampler, InfiniteSampler) or hasattr(numbered.sampler, 'epoch')
        )
        if not can_skip:  # the loop loads and drops the batches
            numbered.skip = 0
        passes = loop.iter // len(loader) if can_skip and hasattr(numbered.sampler, 'epoch') else 0
        if passes:
            numbered.sampler.set_epoch(passes)
        _end_workers(loader)
        steps = loop.iter if can_skip else 0
        loop.dataloader_iterator = _Batches(loop.dataloader_iterator, loader, passes, steps)


def _end_workers(loader: Any) -> None:
    """End the persistent workers of a loader; the next iterator starts others."""
    if isinstance(loader, DataLoader):
        loader._iterator = None
