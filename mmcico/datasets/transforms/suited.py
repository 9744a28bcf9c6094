"""Check of a pipeline for transforms of MMDetection that would corrupt clips silently."""

from collections.abc import Iterator, Sequence
from typing import Any

WAY_OUT = (
    '; leave it out, RandomFlip, RandomResize, RandomCrop and PhotoMetricDistortion change all '
    'frames of a clip alike'
)
UNEQUAL = 'cannot change the frames of a clip alike' + WAY_OUT

#: class or base class -> reason why a clip cannot have it
REFUSED = dict(
    RandomShift='moves a frame and its boxes, but not its masks; leave it out of the pipeline, '
    'RandomCrop moves all of them',
    RandomAffine='cannot move masks' + WAY_OUT,
    # Rotate, ShearX, ShearY, TranslateX, TranslateY fail if parameters are shared, and draw others
    # for each frame if not
    GeomTransform=UNEQUAL,
    # with shared parameters, its search may never end
    MinIoURandomCrop=UNEQUAL,
    RandomCenterCropPad=UNEQUAL,
)

PLACE_OF_MOTION = (
    'compares the frames of a clip: put it behind the TransformBroadcaster that loads and changes '
    'single frames, and directly before mmcico.PackClipInputs'
)
#: as REFUSED, for a step inside TransformBroadcaster
REFUSED_INSIDE = dict(
    # RandAugment and AutoAugment derive from it
    RandomChoice='cannot choose once for all frames of a clip inside TransformBroadcaster; put it '
    'around one TransformBroadcaster for each choice, or leave it out',
    ClipMotion=PLACE_OF_MOTION,
)


def check_transforms(pipeline: Any) -> None:
    """Check that no transform of a pipeline corrupts clips.

    Args:
        pipeline (Any): A built pipeline; transforms inside wrappers are checked, too.

    Raises:
        ValueError: If a transform is not for clips; the message says what to do instead.
    """
    _check_motion(getattr(pipeline, 'transforms', None) or [])
    for step, is_inside in _steps(pipeline):
        name = type(step).__name__
        if name == 'ClipCopyPaste':
            raise ValueError(
                'ClipCopyPaste needs a second clip: put it into the pipeline of '
                "MMDetection's MultiImageMixDataset around this data set"
            )
        if hasattr(step, 'get_indexes'):
            raise ValueError(
                f'{name} mixes other images into a frame, other ones in each frame of a clip; '
                'leave it out of the pipeline; mmcico.ClipCopyPaste pastes objects of another clip '
                'into all frames'
            )
        reasons = {**REFUSED, **REFUSED_INSIDE} if is_inside else REFUSED
        for base in type(step).__mro__:
            if base.__name__ in reasons:
                raise ValueError(f'{name} {reasons[base.__name__]}')
        if getattr(step, 'allow_negative_crop', True) is False:
            raise ValueError(
                f'{name} drops a frame that shows no object any more, but a clip cannot lose a '
                'frame; set allow_negative_crop=True'
            )


def _check_motion(steps: Sequence[Any]) -> None:
    """Check that ClipMotion has loaded frames, and that nothing changes its result."""
    names = [type(step).__name__ for step in steps]
    if 'ClipMotion' not in names:
        return
    place = names.index('ClipMotion')
    before, after = names[:place], names[place + 1 :]
    is_behind = 'TransformBroadcaster' in before and 'PackClipInputs' not in before
    if not is_behind or after not in ([], ['PackClipInputs']):
        raise ValueError(f'ClipMotion, here between {before} and {after}, {PLACE_OF_MOTION}')


def _steps(step: Any, is_inside: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield a transform and all that it wraps, and whether it changes single frames."""
    yield step, is_inside
    is_inside |= type(step).__name__ == 'TransformBroadcaster'
    inner = getattr(step, 'transforms', None) or []
    for each in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from _steps(each, is_inside)
