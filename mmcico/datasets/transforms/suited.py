"""Transforms of MMDetection that would spoil clips without a word."""

from collections.abc import Iterator
from typing import Any

WAY_OUT = (
    '; leave it out, RandomFlip, RandomResize, RandomCrop and '
    'PhotoMetricDistortion change all frames of a clip alike'
)
UNEQUAL = 'cannot change the frames of a clip alike' + WAY_OUT

#: class, or one that it is made from -> why a clip cannot have it
REFUSED = dict(
    RandomShift='moves a frame and its boxes, but not its masks; leave it out '
    'of the pipeline, RandomCrop moves all of them',
    RandomAffine='cannot move masks' + WAY_OUT,
    # Rotate, ShearX, ShearY, TranslateX, TranslateY: they fail if parameters
    # are shared, and draw others for each frame if not
    GeomTransform=UNEQUAL,
    # of equal parameters its search may never end
    MinIoURandomCrop=UNEQUAL,
    RandomCenterCropPad=UNEQUAL,
)

#: the same, for a step inside TransformBroadcaster
REFUSED_INSIDE = dict(
    # RandAugment and AutoAugment are made from it
    RandomChoice='cannot choose once for all frames of a clip inside '
    'TransformBroadcaster; put it around one TransformBroadcaster for each '
    'choice, or leave it out'
)


def check_transforms(pipeline: Any) -> None:
    """Refuse transforms that clips cannot have.

    Args:
        pipeline (Any): A built pipeline; wrappers are looked into.

    Raises:
        ValueError: Naming the transform, and what to do instead.
    """
    for step, is_inside in _steps(pipeline):
        name = type(step).__name__
        if hasattr(step, 'get_indexes'):
            raise ValueError(
                f'{name} mixes other images into a frame, other ones in each '
                'frame of a clip; leave it out of the pipeline'
            )
        _refuse(step, {**REFUSED, **REFUSED_INSIDE} if is_inside else REFUSED)
        if getattr(step, 'allow_negative_crop', True) is False:
            raise ValueError(
                f'{name} drops a frame that shows no object any more, but a '
                'clip cannot lose a frame; set allow_negative_crop=True'
            )


def _refuse(step: Any, reasons: dict) -> None:
    """Raise if a step, or what it is made from, has a reason."""
    for base in type(step).__mro__:
        if base.__name__ in reasons:
            raise ValueError(f'{type(step).__name__} {reasons[base.__name__]}')


def _steps(step: Any, is_inside: bool = False) -> Iterator[tuple[Any, bool]]:
    """A transform and all that it wraps, and what changes single frames."""
    yield step, is_inside
    is_inside |= type(step).__name__ == 'TransformBroadcaster'
    inner = getattr(step, 'transforms', None) or []
    for each in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from _steps(each, is_inside)
