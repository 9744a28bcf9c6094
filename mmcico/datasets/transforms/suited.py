"""Transforms of MMDetection that would spoil clips without a word."""
from typing import Any, Iterator

#: they move the frame and its boxes, but not its masks
MASKS_STAY = ('RandomShift', )


def check_transforms(pipeline: Any) -> None:
    """Refuse transforms that clips cannot have.

    Args:
        pipeline (Any): A built pipeline; wrappers are looked into.

    Raises:
        ValueError: Naming the transform.
    """
    for step in _steps(pipeline):
        name = type(step).__name__
        if hasattr(step, 'get_indexes'):
            raise ValueError(
                f'{name} mixes other images into a frame, other ones in each '
                'frame of a clip; leave it out of the pipeline')
        if name in MASKS_STAY:
            raise ValueError(
                f'{name} moves a frame and its boxes, but not its masks; '
                'leave it out of the pipeline, RandomCrop moves all of them')


def _steps(step: Any) -> Iterator[Any]:
    """A transform and all that it wraps."""
    yield step
    inner = getattr(step, 'transforms', None) or []
    for each in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from _steps(each)
