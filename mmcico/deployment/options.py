"""Compiled runs of a model's own layers, and how far two runs agree."""

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.structures import InstanceData

from mmcico.models.vis.cico import CiCo

from .precision import check_layers, set_precision


def compile_model(model: CiCo, **options: Any) -> CiCo:
    """Compile what every clip runs at the same sizes, in place.

    These are backbone, neck, and the tower and last layers of the mask head. The prediction heads
    run on windows of changing size and stay as they are. Compilation happens at the first clips,
    and for each further input size.

    Args:
        model (CiCo): In eval mode. Names of its weights do not change.
        options: Arguments of ``torch.compile``: ``backend``, ``mode``, ``dynamic``.

    Returns:
        CiCo: The model.

    Raises:
        ValueError: If the model runs an ONNX file, or PyTorch has no such backend.
    """
    check_layers(model)
    backend = options.get('backend', 'inductor')
    known = torch.compiler.list_backends(exclude_tags=())
    if isinstance(backend, str) and backend not in known:
        raise ValueError(f'torch.compile has no backend "{backend}" here, but {", ".join(known)}')
    for part in (model.backbone, model.neck, model.mask_head.tower, model.mask_head.reduce):
        part.compile(**options)
    return model


def autocast_model(model: CiCo, dtype: torch.dtype) -> CiCo:
    """Call :func:`set_precision`, which replaces this function."""
    warnings.warn(
        'autocast_model(model, torch.bfloat16) is now set_precision(model, "bf16"); the old name '
        'will be gone in the next version',
        DeprecationWarning,
        stacklevel=2,
    )
    return set_precision(model, str(dtype).removeprefix('torch.'))


@dataclass(frozen=True)
class Agreement:
    """Comparison of the instances of clips.

    Attributes:
        clips (int): Clips compared.
        instances (int): Instances compared.
        same (bool): Whether all ids and classes are the same.
        box (float): Largest difference of boxes, in pixels of the input.
        score (float): Largest difference of scores.
        pixels (int): Pixels of all masks together.
        other_pixels (int): Those of them that differ.
    """

    clips: int = 0
    instances: int = 0
    same: bool = True
    box: float = 0.0
    score: float = 0.0
    pixels: int = 0
    other_pixels: int = 0

    @property
    def mask_share(self) -> float:
        """float: Share of mask pixels that differ."""
        return self.other_pixels / max(self.pixels, 1)

    def __add__(self, other: 'Agreement') -> 'Agreement':
        """Both comparisons together."""
        return Agreement(
            clips=self.clips + other.clips,
            instances=self.instances + other.instances,
            same=self.same and other.same,
            box=max(self.box, other.box),
            score=max(self.score, other.score),
            pixels=self.pixels + other.pixels,
            other_pixels=self.other_pixels + other.other_pixels,
        )


def compare_clips(found: InstanceData, wanted: InstanceData) -> Agreement:
    """Compare two results of one clip.

    Args:
        found (InstanceData): N instances as from ``CiCo.step``.
        wanted (InstanceData): M instances.

    Returns:
        Agreement: Of instances in the same place. Not the same if their numbers, ids or classes
        differ; values are then not compared.
    """
    ids, labels = found.instances_id.tolist(), found.labels.tolist()
    if (ids, labels) != (wanted.instances_id.tolist(), wanted.labels.tolist()):
        return Agreement(clips=1, same=False)
    if not ids:
        return Agreement(clips=1)
    ours, theirs = found.masks > 0.5, wanted.masks > 0.5
    return Agreement(
        clips=1,
        instances=len(ids),
        box=float((found.bboxes - wanted.bboxes).abs().max()),
        score=float((found.scores - wanted.scores).abs().max()),
        pixels=int((ours | theirs).sum()),
        other_pixels=int((ours ^ theirs).sum()),
    )
