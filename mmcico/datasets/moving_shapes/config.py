"""Settings of the moving-shapes generator."""

from dataclasses import dataclass

from .classes import SHAPE_CLASSES

DIFFICULTIES: dict[str, dict[str, float]] = {
    'easy': dict(motion=0.3, occlusion=0.1, blur=0.0, camera=0.1),
    'medium': dict(motion=0.5, occlusion=0.4, blur=0.3, camera=0.3),
    'hard': dict(motion=1.0, occlusion=0.8, blur=1.0, camera=0.7),
}


@dataclass(frozen=True)
class SceneConfig:
    """What generated videos look like.

    Args:
        num_frames: frames of each video.
        size: height and width of the frames in pixels.
        num_classes: the first so many of ``SHAPE_CLASSES`` occur.
        objects: fewest and most objects of a video.
        motion: 0 (still) to 1 (objects cross about 5 % of the frame from one
            frame to the next, turn, change size, leave and come back).
        occlusion: 0 (objects keep apart if there is room) to 1 (objects
            meet, and posts of the scenery stand in front of them).
        blur: 0 (sharp) to 1 (the shutter is open for the whole frame time,
            focus is lost now and then).
        camera: 0 (still) to 1 (fast pans, zoom and roll).
        flicker: 0 (none) to 1 (every second frame is out of focus, grey, faint
            and grainy, so that neighbouring frames show more). No difficulty
            sets it.
        min_visible: objects with fewer visible pixels in a frame count as
            absent there.

    Raises:
        ValueError: if a value is out of its range.
    """

    num_frames: int = 10
    size: tuple[int, int] = (96, 160)
    num_classes: int = 4
    objects: tuple[int, int] = (1, 4)
    motion: float = 0.5
    occlusion: float = 0.4
    blur: float = 0.3
    camera: float = 0.3
    flicker: float = 0.0
    min_visible: int = 24

    def __post_init__(self) -> None:
        _require(self.num_frames >= 1, 'num_frames', self.num_frames, 'at least 1')
        _require(
            min(self.size) >= 32, 'size', self.size, 'a height and a width of at least 32 pixels'
        )
        _require(
            1 <= self.num_classes <= len(SHAPE_CLASSES),
            'num_classes',
            self.num_classes,
            f'1 to {len(SHAPE_CLASSES)}',
        )
        low, high = self.objects
        _require(0 <= low <= high, 'objects', self.objects, 'two numbers 0 <= MIN <= MAX')
        _require(self.min_visible >= 1, 'min_visible', self.min_visible, 'at least 1 pixel')
        for name in ('motion', 'occlusion', 'blur', 'camera', 'flicker'):
            value = getattr(self, name)
            _require(0 <= value <= 1, name, value, '0 to 1')


def _require(ok: bool, name: str, value: object, wanted: str) -> None:
    """Raise a ``ValueError`` that says what is wanted instead."""
    if not ok:
        raise ValueError(f'moving shapes: {name} is {value}, choose {wanted}')


def make_config(difficulty: str = 'medium', **values: object) -> SceneConfig:
    """Settings of a difficulty, with single values replaced.

    Args:
        difficulty: ``'easy'``, ``'medium'`` or ``'hard'``.
        **values: fields of ``SceneConfig``; they win over the difficulty.

    Raises:
        ValueError: if the difficulty is unknown or a value out of range.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(
            f'moving shapes: difficulty is "{difficulty}", choose one of {", ".join(DIFFICULTIES)}'
        )
    return SceneConfig(**{**DIFFICULTIES[difficulty], **values})
