"""Tests at low precision."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmcico.deployment.precision import NETWORK_PARTS, precision_name, set_precision
from mmcico.models.vis.cico import CiCo
from mmcico.registry import HOOKS


@HOOKS.register_module()
class PrecisionHook(Hook):
    """Test with a network that is prepared for speed, see :func:`set_precision`.

    Args:
        precision (str): ``'fp32'``, ``'bf16'``, ``'fp16'``, or ``'auto'`` for bf16 if the device
            is fast at it, else fp32.
    """

    #: other hooks, such as EMAHook, change the weights before
    priority = 'LOWEST'

    def __init__(self, precision: str = 'auto') -> None:
        self.precision = precision_name(precision)
        self.kept: dict[str, Any] = {}

    def before_test_epoch(self, runner: Runner) -> None:
        """Replace the parts of the network.

        Raises:
            ValueError: If the model is of another type.
        """
        model = own_model(runner)
        self.kept = {name: getattr(model, name) for name in (*NETWORK_PARTS, 'network')}
        set_precision(model, self.precision)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Put the parts back."""
        for name, part in self.kept.items():
            setattr(own_model(runner), name, part)


def own_model(runner: Runner) -> CiCo:
    """Return the model of a runner without its wrapper.

    Raises:
        ValueError: If it is no :class:`CiCo`.
    """
    model: Any = runner.model
    model = model.module if is_model_wrapper(model) else model
    if not isinstance(model, CiCo):
        raise ValueError(
            f'PrecisionHook (--precision) works with mmcico.CiCo, but the model is a '
            f'{type(model).__name__}; leave it out'
        )
    return model
