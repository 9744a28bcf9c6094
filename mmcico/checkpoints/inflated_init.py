"""Initialisation of a model for clips from a checkpoint for images."""

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import nn

from mmcico.registry import WEIGHT_INITIALIZERS

from .inflate import inflate
from .layout import ModelLayout, parameters


@WEIGHT_INITIALIZERS.register_module()
class InflatedPretrained:
    """Start from a detector of images: ``init_cfg`` of :class:`CiCo`.

    2D kernels are spread over time and boxes repeated for every frame, as
    docs/en/checkpoints.md says. What was taken, reshaped and left out is
    written to the log.

    Args:
        checkpoint (str): File or address of a published COCO model, of ours
            with T = 1, or of MMDetection's YOLACT or CondInst.
        take_classes (bool): Also take the class layer. Only right with the
            same classes in the same order.
    """

    #: the model's parts initialise themselves first
    after_children = True

    def __init__(self, checkpoint: str, take_classes: bool = False) -> None:
        self.checkpoint = checkpoint
        self.take_classes = take_classes

    def __call__(self, module: nn.Module) -> None:
        """Load what fits into a model and say so in the log.

        Args:
            module (nn.Module): A :class:`CiCo`.

        Raises:
            ValueError: If the file is of no known kind or gives nothing.
        """
        content = CheckpointLoader.load_checkpoint(
            self.checkpoint, map_location='cpu', logger='silent'
        )
        params, others = parameters(content, self.checkpoint)
        try:
            values, report = inflate(params, ModelLayout.of(module), self.take_classes)
        except ValueError as error:
            raise ValueError(f'init_cfg, checkpoint "{self.checkpoint}": {error}') from error
        report.unexpected.update(dict.fromkeys(others, 'not a tensor'))
        module.load_state_dict(values, strict=False)
        print_log(
            f'initialised from "{self.checkpoint}"; what is missing keeps its '
            f'own initial values; {report}',
            logger='current',
        )
