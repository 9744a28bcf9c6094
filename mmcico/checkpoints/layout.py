"""Layout of a model, parameters of a checkpoint file, and the report of a conversion."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class ModelLayout:
    """Parameters of a built model, and the settings that their shapes depend on.

    Args:
        state (dict[str, Tensor]): State dict of the model.
        num_anchors (int): A, anchors of a cell.
        num_frames (int): T.
        use_sigmoid (bool): Whether the classes are independent; otherwise there are K + 1 with the
            background last.
    """

    state: dict[str, Tensor]
    num_anchors: int
    num_frames: int
    use_sigmoid: bool

    @classmethod
    def of(cls, model: nn.Module) -> 'ModelLayout':
        """Return the layout of a built :class:`CiCo`.

        Raises:
            ValueError: If the model has no :class:`CiCoHead`.
        """
        head = getattr(model, 'bbox_head', None)
        wanted = ('num_anchors', 'num_frames', 'use_sigmoid')
        if not all(hasattr(head, name) for name in wanted):
            raise ValueError(
                f'the model is a {type(model).__name__} without a CiCoHead; use a config whose '
                "model is of type 'mmcico.CiCo'"
            )
        return cls(dict(model.state_dict()), *(getattr(head, name) for name in wanted))


def parameters(content: Any, source: str) -> tuple[dict[str, Tensor], list]:
    """Return the tensors of a loaded checkpoint by name, and the names of other entries.

    The content is a state dict, or a dict with one under ``state_dict`` or ``model``.

    Raises:
        ValueError: If the file has no tensors.
    """
    for key in ('state_dict', 'model'):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise ValueError(
            f'"{source}" holds a {type(content).__name__}, not a state dict or a checkpoint with '
            'one'
        )
    tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)}
    if not tensors:
        raise ValueError(
            f'"{source}" holds no tensors, only {sorted(map(str, content))[:5]}; give a file of '
            'weights'
        )
    return tensors, [str(name) for name in content if name not in tensors]


@dataclass
class Report:
    """Report of a conversion, with one entry for each parameter of the file and of the result.

    Args:
        taken (list[str]): Names in the result whose values were not changed.
        changed (dict[str, str]): Names in the result whose values were reordered or spread over
            time, with the change.
        made (dict[str, str]): Names in the result that the file need not have, with the reason.
        dropped (dict[str, str]): Names in the file that are not needed, with the reason.
        unexpected (dict[str, str]): Names in the file that the result has no place for, with the
            reason.
        wrong_shape (dict[str, str]): Names in the file whose shapes do not fit, with both shapes.
        missing (list[str]): Names in the result that got no value.
    """

    taken: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    unexpected: dict[str, str] = field(default_factory=dict)
    wrong_shape: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """bool: Whether all parameters fit and none is missing."""
        return not (self.unexpected or self.wrong_shape or self.missing)

    @property
    def placed(self) -> int:
        """int: Number of parameters of the result that the file has given."""
        return len(self.taken) + len(self.changed)

    def shapes_differ(self, name: str, there: Tensor, here: Tensor, hint: str = '') -> None:
        """Add a parameter of the file whose shape does not fit."""
        shapes = f'{tuple(there.shape)} in the file, {tuple(here.shape)} is needed'
        self.wrong_shape[name] = shapes + hint

    def summary(self) -> str:
        """Return the numbers of parameters as one line."""
        return (
            f'{self.placed} parameters from the file ({len(self.changed)} of them reshaped or '
            f'reordered), {len(self.made)} made, {len(self.dropped)} dropped, {len(self.missing)} '
            f'missing, {len(self.unexpected)} unexpected, {len(self.wrong_shape)} of another shape'
        )

    def lines(self) -> list[str]:
        """Return the summary and the names of all parameters, line by line."""
        out = [self.summary()]
        out += section('taken as they are', counted(self.taken))
        out += section('reshaped or reordered', pairs(self.changed))
        out += section('made, not from the file', by_reason(self.made))
        out += section('dropped, not needed', pairs(self.dropped))
        out += section('missing, no value in the file', self.missing)
        out += section('unexpected, no place for them', pairs(self.unexpected))
        out += section('of another shape', pairs(self.wrong_shape))
        return out

    def __str__(self) -> str:
        return '\n'.join(self.lines())


def section(title: str, entries: Sequence[str]) -> list[str]:
    """Return a heading and its entries, nothing if there are no entries."""
    return [f'{title}:'] + [f'  {each}' for each in entries] if entries else []


def pairs(entries: dict[str, str]) -> list[str]:
    """Return a line with name and text for each entry."""
    return [f'{name}: {text}' for name, text in entries.items()]


def by_reason(entries: dict[str, str]) -> list[str]:
    """Count the names of each reason.

    >>> by_reason({'neck.a.x': 'zero', 'neck.b.x': 'zero'})
    ['zero: neck.a: 1, neck.b: 1']
    """
    groups: dict[str, list[str]] = {}
    for name, text in entries.items():
        groups.setdefault(text, []).append(name)
    return [f'{text}: {", ".join(counted(x))}' for text, x in groups.items()]


def counted(names: Sequence[str]) -> list[str]:
    """Count the names of each module, two levels deep.

    >>> counted(['neck.convs.0.weight', 'neck.convs.0.bias', 'head.x'])
    ['neck.convs: 2', 'head: 1']
    """
    numbers = Counter('.'.join(name.split('.')[:-1][:2]) for name in names)
    return [f'{module}: {number}' for module, number in numbers.items()]
