"""Hooks that compare a config with weights and with the length of a training at the start."""

import re

from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner

from mmcico.registry import HOOKS
from mmcico.utils.weights import check_fit, unwrapped


@HOOKS.register_module()
class WeightsFitHook(Hook):
    """Refuse to test or validate with weights that do not fit the model.

    A training may begin with weights of a part of the model, so that nothing is checked there.

    Args:
        allow_partial (bool): Whether weights that do not fit are accepted. Defaults to False.
    """

    def __init__(self, allow_partial: bool = False) -> None:
        self.allow_partial = allow_partial

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the weights with the model before they are loaded.

        Raises:
            ValueError: If parts of the network are missing or have another shape.
        """
        if isinstance(runner.optim_wrapper, BaseOptimWrapper):  # built by a training alone
            return
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {re.sub('^module[.]', '', name): value for name, value in weights.items()}
        check_fit(unwrapped(runner.model), weights, str(runner._load_from), self.allow_partial)


@HOOKS.register_module()
class ScheduleCheckHook(Hook):
    """Warn at the start of a training that is too short for its schedule."""

    def before_train(self, runner: Runner) -> None:
        """Compare the ends and milestones of the schedulers with the length of the training."""
        schedulers = runner.param_schedulers
        groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
        for scheduler in (each for group in groups for each in group):
            length = runner.max_epochs if scheduler.by_epoch else runner.max_iters
            unit = 'epochs' if scheduler.by_epoch else 'steps'
            milestones = getattr(scheduler, 'milestones', {})
            # PyTorch's "no end" is a number that no training reaches
            ends = [*milestones] or ([scheduler.end] if scheduler.end < 10**9 else [])
            late = [each for each in ends if each > length]
            if late:
                rising = getattr(scheduler, 'start_factor', 1) < getattr(scheduler, 'end_factor', 1)
                runner.logger.warning(
                    f'the training has {length} {unit}, but {type(scheduler).__name__} of '
                    f'param_scheduler reaches {"a milestone" if milestones else "its last value"} '
                    f'only at {", ".join(map(str, late))}'
                    f'{", so that the learning rate never gets as high as it is set" * rising}: '
                    'shorten "param_scheduler", or train longer'
                )
