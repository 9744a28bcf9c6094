"""Settings of the moving-shapes generator."""

from dataclasses import dataclass
from typing import Any

from .classes import SHAPE_CLASSES

DIFFICULTIES: dict[str, dict[str, Any]] = {
    'easy': dict(motion=0.3, occlusion=0.1, blur=0.0, camera=0.1),
    'medium': dict(motion=0.5, occlusion=0.4, blur=0.3, camera=0.3),
    'hard': dict(motion=1.0, occlusion=0.8, blur=1.0, camera=0.7),
}


@dataclass(frozen=True)
class SceneConfig:
    """Settings of generated videos.

    Args:
        num_frames: number of frames of each video.
        size: height and width of the frames in pixels.
        num_classes: number of classes, taken from the start of ``SHAPE_CLASSES``.
        objects: smallest and largest number of objects in a video.
        motion: 0 (still) to 1 (objects move by about 5 % of the frame between two frames,
            rotate, change size, leave the frame and return).
        occlusion: 0 (objects avoid each other where there is room) to 1 (objects cross, and
            posts in the foreground hide them).
        blur: 0 (sharp) to 1 (the shutter is open for the whole frame time, and the picture is
            sometimes out of focus).
        camera: 0 (still) to 1 (fast pan, zoom and roll).
        flicker: 0 (none) to 1 (every second frame is blurred, grey, low in contrast and
            noisy, so that the frames around it show more). No difficulty sets it.
        min_visible: an object with fewer visible pixels in a frame counts as absent there.

    Raises:
        ValueError: If a value is out of its range.
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
        most = len(SHAPE_CLASSES)
        low, high = self.objects
        classes = 1 <= self.num_classes <= most
        _require(self.num_frames >= 1, 'num_frames', self.num_frames, 'at least 1')
        _require(min(self.size) >= 32, 'size', self.size, 'at least 32 pixels for both sides')
        _require(classes, 'num_classes', self.num_classes, f'1 to {most}')
        _require(0 <= low <= high, 'objects', self.objects, 'two numbers 0 <= MIN <= MAX')
        _require(self.min_visible >= 1, 'min_visible', self.min_visible, 'at least 1 pixel')
        for name in ('motion', 'occlusion', 'blur', 'camera', 'flicker'):
            value = getattr(self, name)
            _require(0 <= value <= 1, name, value, '0 to 1')


def _require(ok: bool, name: str, value: object, wanted: str) -> None:
    """Raise a ``ValueError`` that names the accepted values unless ``ok``."""
    if not ok:
        raise ValueError(f'moving shapes: {name} is {value}, choose {wanted}')


def make_config(difficulty: str = 'medium', **values: Any) -> SceneConfig:
    """Return the settings of a difficulty.

    Args:
        difficulty: ``'easy'``, ``'medium'`` or ``'hard'``.
        **values: fields of ``SceneConfig``, which override those of the difficulty.

    Raises:
        ValueError: If the difficulty is unknown or a value is out of its range.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(
            f'moving shapes: difficulty is "{difficulty}", choose one of {", ".join(DIFFICULTIES)}'
        )
    return SceneConfig(**{**DIFFICULTIES[difficulty], **values})
