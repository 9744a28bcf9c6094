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
    # draw for each frame, also if parameters are shared
    CutOut=UNEQUAL,
    Albu=UNEQUAL,
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


def check_transforms(steps: Sequence[Any], around: Sequence[Any] = ()) -> None:
    """Check that no transform of a data set corrupts clips.

    Args:
        steps (Sequence): Transforms of the data set; those inside wrappers are checked, too.
        around (Sequence): Transforms of the ``MultiImageMixDataset`` around it, which follow them
            and may paste objects of a second clip.

    Raises:
        ValueError: If a transform is not for clips; the message says what to do instead.
    """
    pasting = [step for step in around if _name(step) == 'ClipCopyPaste']
    if pasting and 'PackClipInputs' in map(_name, [*steps, *around[: around.index(pasting[-1])]]):
        raise ValueError(
            'ClipCopyPaste needs clips that are not packed: move mmcico.PackClipInputs from the '
            'pipeline of the data set to the end of the pipeline of MultiImageMixDataset'
        )
    _check_motion([*steps, *around])
    for step, is_inside in _steps([*steps, *around]):
        if step in pasting:
            continue
        name = _name(step)
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
    names = [*map(_name, steps)]
    if 'ClipMotion' not in names:
        return
    place = names.index('ClipMotion')
    before, after = names[:place], names[place + 1 :]
    is_behind = 'TransformBroadcaster' in before and 'PackClipInputs' not in before
    if not is_behind or after not in ([], ['PackClipInputs']):
        raise ValueError(f'ClipMotion, here between {before} and {after}, {PLACE_OF_MOTION}')


def check_sharing(steps: Sequence[Any]) -> None:
    """Check that the frames of a clip share what is drawn for them in training.

    Raises:
        ValueError: If a ``TransformBroadcaster`` with a random step draws for each frame.
    """
    for outer, _ in _steps(steps):
        if getattr(outer, 'share_random_params', True):
            continue
        for step, _ in _steps([outer]):
            if getattr(step, '_methods_with_randomness', None):  # MMCV's cache_randomness adds them
                raise ValueError(
                    f'{_name(step)} is in a TransformBroadcaster that changes each frame of a clip '
                    'differently; set share_random_params=True of the TransformBroadcaster'
                )


def _steps(steps: Sequence[Any], is_inside: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield transforms and all that they wrap, and whether they change single frames."""
    for step in steps:
        yield step, is_inside
        inner = getattr(step, 'transforms', None) or []
        inner = inner if isinstance(inner, (list, tuple)) else [inner]
        yield from _steps(inner, is_inside or _name(step) == 'TransformBroadcaster')


def _name(step: Any) -> str:
    """Return the name of a transform's class."""
    return type(step).__name__
