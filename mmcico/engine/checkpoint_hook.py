"""Checkpoints that are whole, finite and never fewer than they should be."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from torch import nn

from mmcico.registry import HOOKS
from mmcico.utils.files import write_whole
from mmcico.utils.weights import unwrapped

PART = '.part'


@register_backend('mmcico_whole_local')
class WholeLocalBackend(LocalBackend):
    """Local files that are there as a whole or not at all, whenever the process is killed."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file beside the place that it takes when it is on the disk."""
        path = Path(filepath)
        part = path.with_name(path.name + PART)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OSError(
                f'cannot write the file {path}: {error.strerror or error}; the files before it '
                'are kept'
            ) from error


class _LateRemoval:
    """A file backend that removes files only when it is told to."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._waiting: list[tuple[Callable, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backend, name)
        if name in ('remove', 'rmtree'):
            return lambda path: self._waiting.append((found, path))
        return found

    def remove_now(self, but: set[str | None]) -> None:
        """Remove what was to be removed before, except these files."""
        for remove, path in self._waiting:
            if path not in but:
                remove(path)
        self._waiting.clear()


def bad_tensors(model: nn.Module) -> list[str]:
    """Return the names of the weights and buffers of a model that hold NaN or infinity."""
    tensors = {k: v for k, v in model.state_dict().items() if v.is_floating_point()}
    if not tensors:
        return []
    flags = [value.isfinite().all() for value in tensors.values()]
    # one transfer, which is waited for; what is copied without waiting may be read too early
    good = torch.stack([each.to(flags[0].device) for each in flags]).tolist()
    return [name for name, is_good in zip(tensors, good) if not is_good]


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against kills and against weights that are not finite.

    A checkpoint is written beside its place and moved there when it is whole. Older checkpoints are
    removed only then, after ``last_checkpoint`` names the new one, so that a process that is killed
    at any moment leaves a checkpoint to resume from. Weights that are not finite are not saved.

    Args:
        backend_args (dict, optional): As of ``CheckpointHook``. Other backends than the local
            one write files as they do.
        **kwargs: As of ``CheckpointHook``.
    """

    def __init__(self, *args: Any, backend_args: dict | None = None, **kwargs: Any) -> None:
        super().__init__(*args, backend_args=backend_args, **kwargs)
        self._is_local = backend_args is None and self.file_client_args is None

    def before_train(self, runner: Runner) -> None:
        """Find the folder of the checkpoints and tidy it up."""
        super().before_train(runner)
        self._is_local &= '://' not in str(self.out_dir)
        if self._is_local:
            self.backend_args = dict(backend='mmcico_whole_local')
            if is_main_process():
                for part in Path(self.out_dir).glob('*.pth' + PART):
                    part.unlink(missing_ok=True)
        self.file_backend: Any = _LateRemoval(self.file_backend)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Save a checkpoint, then name it, then remove those that are too many.

        Raises:
            ValueError: If a weight is not finite.
        """
        self._check_weights(runner, runner.iter + (not self.by_epoch))
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                self._outdate(self.keep_ckpt_ids.popleft())
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_whole(Path(runner.work_dir, 'last_checkpoint'), self.last_ckpt)
            self._remove_outdated()

    def _outdate(self, step: int) -> None:
        """Have the checkpoint of a step removed after the next one is saved."""
        if not is_main_process():
            return
        files = self.file_backend
        path = files.join_path(self.out_dir, self.filename_tmpl.format(step))
        if files.isfile(path):
            files.remove(path)
        elif files.isdir(path):  # DeepSpeed's are folders
            files.rmtree(path)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint before the one that was best is removed."""
        if self.save_best:
            self._check_weights(runner, runner.iter)
        super()._save_best_checkpoint(runner, metrics)
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        """Remove the files that the ones just saved replace."""
        best: set[str | None] = {getattr(self, 'best_ckpt_path', None)}
        best.update(getattr(self, 'best_ckpt_path_dict', {}).values())
        self.file_backend.remove_now(but=best | {self.last_ckpt})

    @staticmethod
    def _check_weights(runner: Runner, step: int) -> None:
        """Refuse weights that are not finite after a number of steps."""
        bad = bad_tensors(unwrapped(runner.model))
        if bad:
            raise ValueError(
                f'{len(bad)} tensors of the model are not finite after step {step}, '
                f'among them {", ".join(bad[:3])}; they are not saved, the last good checkpoint '
                f'is {runner.message_hub.get_info("last_ckpt", "none")}; lower the learning rate '
                'or clip gradients (docs/en/training.md)'
            )
