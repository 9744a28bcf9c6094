"""A stop of trainings whose numbers are not finite any more, and their batches on disk."""

import math
from pathlib import Path
from typing import Any

from mmcico.compat.checkpoint import load_safely, named

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.dist import all_gather_object, all_reduce, get_rank, is_distributed
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch import Tensor
from torch.distributed.fsdp import FullyShardedDataParallel

from mmcico.registry import HOOKS

#: what a batch is made of beside tensors, numbers and text
CLASSES = [
    BitmapMasks,
    DetDataSample,
    HorizontalBoxes,
    InstanceData,
    TrackDataSample,
    named('builtins.bytes', bytes),  # arrays without elements
]
ADVICE = (
    'lower the learning rate, clip gradients (optim_wrapper.clip_grad), or look at the '
    'annotations of these videos (docs/en/training.md)'
)


@HOOKS.register_module()
class FiniteTrainingHook(Hook):
    """Stops a training at the first loss or gradient norm that is not finite.

    The error names the losses, the videos and the frames of the batch. Each process whose
    losses are at fault writes its batch into ``<work_dir>/replay``, to be run again by
    ``tools/analysis_tools/replay_batch.py``. Nothing is saved after that step, so that the last
    checkpoint is a good one.

    Every step is looked at, and a GPU never waits for it. MMEngine reads the losses of every
    step for its log; this hook takes the numbers from there. The norm of the gradients is
    computed on the device before the optimiser's step and read after the losses have been,
    when the device has nothing left to do.

    In a distributed training, the gradients are the same in all processes, and all stop in the
    same step; with FSDP, each process has a part of them, and their norms are added. A loss that
    is not finite and leaves the gradients finite is told to the other processes every
    ``interval`` steps and before the end of an epoch.

    A gradient scaler (mixed precision in float16) leaves out steps whose gradients overflow;
    they are an error only if too many come in a row.

    Args:
        interval (int): Steps after which the processes compare their losses.
        max_skipped (int): Steps in a row that a gradient scaler may leave out.
        enabled (bool): Whether to look at all. Defaults to True.
    """

    priority = 'HIGH'  # after RuntimeInfoHook reads the losses, before anything is saved

    def __init__(self, interval: int = 50, max_skipped: int = 30, enabled: bool = True) -> None:
        self.enabled = enabled
        self.interval = interval
        self.max_skipped = max_skipped
        self._norm: Tensor | None = None
        self._left_out: Tensor | None = None  # of a fused optimiser
        self._skipped = 0
        self._max_skipped = max_skipped
        self._scaled = False
        self._sharded = False
        self._report: dict | None = None
        self._handles: list = []

    def before_train(self, runner: Runner) -> None:
        """Check the gradients before every step of the optimisers."""
        if not self.enabled:
            return
        wrapper = runner.optim_wrapper
        several = isinstance(wrapper, OptimWrapperDict)
        wrappers = list(wrapper.optim_wrappers.values()) if several else [wrapper]
        self._scaled = any(hasattr(each, 'loss_scaler') for each in wrappers)
        self._sharded = isinstance(runner.model, FullyShardedDataParallel)
        self._max_skipped = self.max_skipped * max(w._accumulative_counts for w in wrappers)
        self._handles = [
            each.optimizer.register_step_pre_hook(lambda optimizer, *_: self._measure(optimizer))
            for each in wrappers
        ]

    def after_train(self, runner: Runner) -> None:
        """Let go of the optimisers."""
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _measure(self, optimizer: torch.optim.Optimizer) -> None:
        """Compute the norm of the gradients, on their device."""
        params = [p for group in optimizer.param_groups for p in group['params']]
        grads = [p.grad for p in params if p.grad is not None]
        norms = torch._foreach_norm(grads) if grads else ()
        if not norms and not self._sharded:
            return
        norm = torch.stack([each.float() for each in norms]).norm() if norms else torch.zeros(())
        if self._sharded:  # a process may have no part of these parameters
            norm = norm.to(params[0].device)
            all_reduce(norm)
        left_out = getattr(optimizer, 'found_inf', None)
        if left_out is not None:  # a fused optimiser itself leaves out steps that overflow
            self._left_out = left_out if self._left_out is None else self._left_out + left_out
        self._norm = norm if self._norm is None else self._norm + norm

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Stop if a number of this step is not finite.

        Raises:
            ValueError: If the losses or the gradients of any process are not finite.
        """
        if not self.enabled:
            return
        losses = self._bad_losses(runner, outputs or {})
        norm = self._bad_norm(runner)
        if (losses or norm) and self._report is None:
            self._report = dict(
                step=runner.iter + 1, losses=losses, norm=norm, batch=data_batch, rank=get_rank()
            )
        if norm or (self._report and not is_distributed()):
            self._stop(runner)
        if self.every_n_train_iters(runner, self.interval):
            self._compare(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Compare the processes before the end of the epoch is saved."""
        self._compare(runner)

    def _compare(self, runner: Runner) -> None:
        """Stop if any process has seen a loss that is not finite."""
        if not (self.enabled and is_distributed()):
            return
        device = next(runner.model.parameters()).device
        seen = torch.tensor(float(self._report is not None), device=device)
        all_reduce(seen, 'max')
        if seen.item():
            self._stop(runner)

    @staticmethod
    def _bad_losses(runner: Runner, outputs: dict) -> dict[str, float]:
        """Return the losses of this step that are not finite, as the log has them."""
        scalars = runner.message_hub.log_scalars
        values = {k: scalars[f'train/{k}'].current() for k in outputs if f'train/{k}' in scalars}
        return {name: value for name, value in values.items() if not math.isfinite(value)}

    def _bad_norm(self, runner: Runner) -> str:
        """Return an error in the gradients of this step, an empty text if they are finite."""
        left_out, self._left_out = self._left_out, None
        if self._norm is None or (left_out is not None and left_out.item()):
            self._norm = None
            self._skipped += self._scaled
            if self._skipped > self._max_skipped:
                return f'the gradient scaler left out {self._skipped} steps in a row'
            return ''
        value, self._norm, self._skipped = self._norm.item(), None, 0
        clipped = runner.message_hub.log_scalars.get('train/grad_norm')
        if math.isfinite(value) and clipped is not None and not (self._scaled or self._sharded):
            value = clipped.current()  # before it was clipped
        return '' if math.isfinite(value) else f'the norm of the gradients is {value}'

    def _stop(self, runner: Runner) -> None:
        """Write the batches at fault and raise the same error in all processes."""
        mine = dict(step=runner.iter + 1, losses={}, norm='', batch=None, rank=get_rank())
        mine.update(self._report or {})
        names = batch_names(mine['batch'])
        reports = all_gather_object({**mine, 'batch': None, 'names': names})
        at_fault = [each for each in reports if each['losses']] or reports
        folder = Path(runner.work_dir, 'replay')
        if self._report and any(each['rank'] == mine['rank'] for each in at_fault):
            name = f'iter_{mine["step"]}_rank{mine["rank"]}.pt'
            last = runner.message_hub.get_info('last_ckpt')
            save_batch(folder / name, seed=runner.seed, checkpoint=last, **mine)
        raise ValueError(self._message(runner, at_fault, folder))

    def _message(self, runner: Runner, reports: list[dict], folder: Path) -> str:
        """Return a line that tells what was not finite, where, what was kept and what to do."""
        losses = {name: value for each in reports for name, value in each['losses'].items()}
        found = [f'{name} is {value}' for name, value in losses.items()]
        found += sorted({each['norm'] for each in reports if each['norm']})[:1]
        clips = '; '.join(name for each in reports for name in each['names'])
        last = runner.message_hub.get_info('last_ckpt')
        kept = f'the last good checkpoint is {last}' if last else 'no checkpoint was saved before'
        step = min(each['step'] for each in reports)
        return (
            f'{", ".join(found)} in step {step} of the training (epoch {runner.epoch + 1}), whose '
            f'batch is {clips or "without names"}; training needs finite numbers and stops; the '
            f'batch is in {folder}, {kept}; {ADVICE}'
        )


def batch_names(batch: Any) -> list[str]:
    """Return the video and the frames of each clip of a batch, nothing without ``data_samples``."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    return [_clip_name(sample) for sample in samples or []]


def _clip_name(sample: Any) -> str:
    """Return video, frames and first image of a clip as text."""
    frames = list(getattr(sample, 'video_data_samples', None) or [sample])
    video = frames[0].get('video_id', sample.get('video_id', '?'))
    positions = tuple(sample.get('frame_ids') or (frame.get('frame_id') for frame in frames))
    return f'video {video!r}, frames {positions} ({frames[0].get("img_path", "no path")} ...)'


def save_batch(path: Path, batch: Any, **facts: Any) -> None:
    """Write a batch as from the loader, and facts: numbers, text, lists and dicts of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(facts, batch=batch), path)


def load_batch(path: str) -> dict:
    """Return the facts and the ``batch`` that :func:`save_batch` wrote.

    The file cannot run code: it is refused if it holds other classes than those of a batch.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'batch "{path}" does not exist')
    torch.serialization.add_safe_globals(CLASSES)
    content = load_safely(path, 'cpu')
    if not isinstance(content, dict) or 'batch' not in content:
        raise ValueError(f'"{path}" is no batch of a training that stopped; they are in replay/')
    return content
