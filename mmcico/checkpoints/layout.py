"""What conversion has to know of a model, and reading of files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class ModelLayout:
    """Parameters of a model as it is built, and how its rows are counted.

    Args:
        state (dict[str, Tensor]): Its state dict.
        num_anchors (int): A, anchors of a cell.
        num_frames (int): T.
        use_sigmoid (bool): Whether classes are independent; otherwise there
            are K + 1 with the background last.
    """

    state: dict[str, Tensor]
    num_anchors: int
    num_frames: int
    use_sigmoid: bool

    @classmethod
    def of(cls, model: nn.Module) -> 'ModelLayout':
        """The layout of a built :class:`CiCo`.

        Raises:
            ValueError: If it is another kind of model.
        """
        head = getattr(model, 'bbox_head', None)
        wanted = ('anchor_generator', 'num_frames', 'losses')
        if not all(hasattr(head, name) for name in wanted):
            raise ValueError(
                f'the model is a {type(model).__name__} without a CiCoHead; '
                "use a config whose model is of type 'mmcico.CiCo'"
            )
        return cls(
            state=dict(model.state_dict()),
            num_anchors=head.anchor_generator.num_base_priors[0],
            num_frames=head.num_frames,
            use_sigmoid=head.losses.use_sigmoid,
        )


def parameters(content: Any, source: str) -> tuple[dict[str, Tensor], list]:
    """The tensors of a loaded checkpoint.

    Args:
        content (Any): What the file holds: a state dict, or a dict with one
            under ``state_dict`` or ``model``.
        source (str): Name of the file, for messages.

    Returns:
        tuple[dict[str, Tensor], list[str]]: Tensors by name, and the names
        of entries among them that are no tensors.

    Raises:
        ValueError: If there is no tensor.
    """
    for key in ('state_dict', 'model'):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise ValueError(
            f'"{source}" holds a {type(content).__name__}, not '
            'a state dict or a checkpoint with one'
        )
    tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)}
    if not tensors:
        raise ValueError(
            f'"{source}" holds no tensors, only '
            f'{sorted(map(str, content))[:5]}; is it the file of '
            'weights?'
        )
    return tensors, [str(name) for name in content if name not in tensors]
