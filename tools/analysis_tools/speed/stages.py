"""Time and work of the stages of a clip, measured by wrappers around the methods of a model."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmcico.models import CiCo

from .measures import wait_for

#: methods of the parts of a model that belong to a stage
METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    'class': dict(bbox_head=('forward_frames', 'class_logits', 'class_scores')),
    'box and track': dict(bbox_head=('forward_clips', 'windows')),
    'prototypes': dict(mask_head=('forward_frames', 'forward_clips', 'windows')),
    'masks': dict(mask_head=('predict', 'redraw')),
    'NMS': dict(nms=('select', 'box_nms', 'mask_nms'), bbox_head=('select',)),
    'link': dict(tracker=('step',)),
}
#: stages in the order of a clip
STAGES = (
    'decode',
    'transform',
    'backbone',
    'neck',
    'class',
    'box and track',
    'prototypes',
    'masks',
    'NMS',
    'link',
    'rest',
    'enlarge and encode',
)
#: stages of the network
NETWORK = ('backbone', 'neck', 'class', 'box and track', 'prototypes')


class StageMeter:
    """Adds up time or work of stages; a stage within another one counts only for itself.

    Args:
        read (Callable): Function that returns a growing number, such as the time.
    """

    def __init__(self, read: Callable[[], float]) -> None:
        self.read = read
        self.totals: dict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time or work of a block for a stage."""
        self._close()
        self._running.append(name)
        try:
            yield
        finally:
            self._close()
            self._running.pop()

    def _close(self) -> None:
        """Count the time or work since the last change for the stage that was running."""
        now = self.read()
        if self._running:
            self.totals[self._running[-1]] += now - self._since
        self._since = now

    def wrap(self, name: str, work: Callable) -> Callable:
        """Return a function whose calls count for a stage."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return work(*args, **kwargs)

        return counted

    def wrap_each(self, name: str, work: Callable) -> Callable:
        """Return a generator like another one, whose work counts for a stage."""

        def counted(*args: Any, **kwargs: Any) -> Iterator[Any]:
            items = work(*args, **kwargs)
            while True:
                with self.stage(name):
                    item = next(items, counted)
                if item is counted:
                    return
                yield item

        return counted


class Counted(nn.Module):
    """Calls a module and counts the calls for a stage; compiled modules stay compiled.

    Args:
        module (nn.Module): The module.
        meter (StageMeter): Meter of the stages.
        name (str): Name of the stage.
    """

    def __init__(self, module: nn.Module, meter: StageMeter, name: str) -> None:
        super().__init__()
        self.module = module
        self.call = meter.wrap(name, module)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the module."""
        return self.call(*args, **kwargs)


def clock(device: torch.device) -> Callable[[], float]:
    """Return a clock in seconds, which waits for the work of a device other than a CPU."""
    if device.type == 'cpu':
        return time.perf_counter

    def synchronised() -> float:
        wait_for(device)
        return time.perf_counter()

    return synchronised


@contextmanager
def metered(model: CiCo, meter: StageMeter) -> Iterator[None]:
    """Count the stages of a model within a block, without a change to its code."""
    with ExitStack() as stack:
        for name in ('backbone', 'neck'):
            module = getattr(model, name)
            setattr(model, name, Counted(module, meter, name))
            stack.callback(setattr, model, name, module)
        for stage, parts in METHODS.items():
            for part, methods in parts.items():
                for method in methods:
                    _replace(stack, getattr(model, part), method, meter, stage)
        model.steps = meter.wrap_each('rest', model.steps)  # type: ignore[method-assign]
        stack.callback(delattr, model, 'steps')
        yield


def _replace(stack: ExitStack, owner: Any, method: str, meter: StageMeter, stage: str) -> None:
    """Count the calls of a method until the stack is closed."""
    before = vars(owner).get(method)
    setattr(owner, method, meter.wrap(stage, getattr(owner, method)))
    if before is None:
        stack.callback(delattr, owner, method)
    else:
        stack.callback(setattr, owner, method, before)


@contextmanager
def flop_meter(model: CiCo) -> Iterator[StageMeter]:
    """Count floating-point operations by stage; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter:
        meter = StageMeter(counter.get_total_flops)
        with metered(model, meter):
            yield meter
