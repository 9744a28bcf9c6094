"""Choices for a training on data of one's own: input size, anchors, number of steps.

Pure functions on the value of an annotation file. The formulas are explained in
``docs/en/own_video.md``.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile

#: the long side of the input on a machine without and with a GPU
LONG_SIDE = dict(cpu=320, gpu=640)
#: pixels that the square root of the box area of a small object should have in the input
SMALL_OBJECT = 16
#: pixels below which masks of small objects gain by a larger input, and how much larger it is
FINE_OBJECT, FINER = 32, 1.25
#: an anchor of side a fits squares from a * sqrt(1/2) to a * sqrt(2): there, the IoU is 0.5
ANCHOR_REACH = math.sqrt(2)
FINEST_STRIDE, MOST_LEVELS = 8, 5
#: anchor sides in strides, as in the paper, and the least that is useful
ANCHOR_SCALE, LEAST_ANCHOR_SCALE = 3.0, 1.5
#: passes over the training frames after which more rarely helps
MOST_EPOCHS = 400
#: training frames below which they are flipped in all directions
FEW_FRAMES = 500
#: steps below which a model that starts from scratch has learned nothing
FEW_STEPS = 300
#: one step of warm-up and one of the rest
LEAST_STEPS = 2
#: long side of frames from which loading takes as long as a small network
LARGE_FRAME = 640
#: seconds of --time for building the model, reading the data and drawing
START_SECONDS = 30
UNITS = dict(s=1, m=60, h=3600)


class Anchors(NamedTuple):
    """Anchors of a head: squares of ``scale * stride`` and two other shapes of that area.

    Attributes:
        scale (float): Side of an anchor in strides.
        strides (list[int]): Stride of each level.
    """

    scale: float
    strides: list[int]


class Schedule(NamedTuple):
    """Length of a training.

    Attributes:
        num_steps (int): Number of steps.
        warm_up (int): Steps in which the learning rate rises.
        epochs (float): Passes over the training frames.
    """

    num_steps: int
    warm_up: int
    epochs: float


class Choices(NamedTuple):
    """Settings that suit the data and the machine.

    Attributes:
        scale (tuple[int, int]): Long and short side of the input.
        test_scale (tuple[int, int]): The same for tests.
        sides (tuple[float, float]): 5th and 95th percentile of the objects' sides in the input.
        anchors (Anchors | None): None for models without anchors.
        batch_size (int): Clips of a step.
        num_workers (int): Processes that load the clips.
        flips (tuple): Probabilities and directions of flips.
        schedule (Schedule): Length.
        wrapper (str): Type of the optimiser wrapper, which sets the precision.
    """

    scale: tuple[int, int]
    test_scale: tuple[int, int]
    sides: tuple[float, float]
    anchors: Anchors | None
    batch_size: int
    num_workers: int
    flips: tuple[list[float], list[str]]
    schedule: Schedule
    wrapper: str = 'OptimWrapper'


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``20m`` or ``1.5h``.

    Raises:
        ValueError: If the text is no positive duration.
    """
    match = re.fullmatch(r'(\d+(?:\.\d+)?)([smh])', text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f'"{text}" is no duration; write 90s, 20m or 1.5h')
    return float(match[1]) * UNITS[match[2]]


def clip_boxes(
    track: AnnotatedTrack, video: AnnotatedVideo, reach: int = 1
) -> list[tuple[float, float]]:
    """Return the width and height of the circumscribed box around each frame of an object.

    Args:
        track (AnnotatedTrack): The object.
        video (AnnotatedVideo): Its video.
        reach (int): Frames on each side that the box encloses.
    """
    boxes = {t: track.box(t, video.size) for t in range(video.length) if track.seen(t)}
    sizes = []
    for frame in boxes:
        near = np.array([boxes[t] for t in boxes if abs(t - frame) <= reach])
        low, high = near[:, :2].min(0), near[:, 2:].max(0)
        sizes.append((float(high[0] - low[0]), float(high[1] - low[1])))
    return sizes


def object_sides(file: AnnotationFile, scale: tuple[int, int]) -> np.ndarray:
    """Return the sides of objects in frames that are resized into a long and a short side.

    They are square roots of the areas of circumscribed boxes, in pixels. Crowds are left out.
    """
    sides = [
        math.sqrt(width * height) * resize_factor(video.size, scale)
        for video in file.videos
        for track in video.tracks
        if not track.iscrowd
        for width, height in clip_boxes(track, video)
    ]
    return np.array(sides)


def resize_factor(size: tuple[int, int], scale: tuple[int, int]) -> float:
    """Return the factor of ``Resize(scale=scale, keep_ratio=True)`` for a (height, width)."""
    return min(max(scale) / max(size), min(scale) / min(size))


def choose_scale(
    file: AnnotationFile, device: str, known_side: int | None = None
) -> tuple[int, int]:
    """Return the long and the short side into which frames are resized.

    The long side is that of the median video, at most :data:`LONG_SIDE` (of ``'cpu'`` or any other
    device) and that of the frames that the weights to start from know. It may be up to twice
    :data:`LONG_SIDE`, if the video is so large, where a tenth of the objects would be below
    :data:`SMALL_OBJECT`. Sides are multiples of 32, which the network needs.
    """
    long = float(np.median([max(video.size) for video in file.videos]))
    ratio = float(np.median([min(video.size) / max(video.size) for video in file.videos]))
    limit = LONG_SIDE['cpu' if device == 'cpu' else 'gpu']
    wanted = min(long, limit, known_side or limit)
    sides = object_sides(file, (int(wanted), int(wanted)))
    small = float(np.percentile(sides, 10)) if len(sides) else 0
    if 0 < small < SMALL_OBJECT:
        wanted = min(long, 2 * limit, wanted * SMALL_OBJECT / small)
    return _multiple(wanted), _multiple(wanted * ratio)


def choose_test_scale(scale: tuple[int, int], small: float) -> tuple[int, int]:
    """Return the long and the short side into which frames of a test are resized.

    It is the largest size of the training, where masks are finer, unless ``small`` objects, those
    at the 5th percentile, have sides of :data:`FINE_OBJECT` pixels.
    """
    factor = FINER if small < FINE_OBJECT else 1
    return round(factor * scale[0]), round(factor * scale[1])


def _multiple(value: float) -> int:
    """Return the nearest multiple of 32, at least 32."""
    return max(32, 32 * math.floor(value / 32 + 0.5))


def choose_anchors(sides: Sequence[float] | np.ndarray, least_levels: int = 3) -> Anchors:
    """Return anchors that reach from the small to the large objects.

    The anchors of the finest level are made smaller where the objects at the 5th percentile are
    smaller than they reach. Levels are added until the largest anchor reaches the 95th percentile.

    Args:
        sides (Sequence[float]): As of :func:`object_sides`.
        least_levels (int): Levels that the model has in any case.
    """
    if not len(sides):
        return Anchors(ANCHOR_SCALE, [FINEST_STRIDE * 2**level for level in range(least_levels)])
    small, large = np.percentile(sides, [5, 95])
    fitting = float(small) * ANCHOR_REACH / FINEST_STRIDE
    scale = min(ANCHOR_SCALE, max(LEAST_ANCHOR_SCALE, math.floor(fitting * 4) / 4))
    reached = scale * FINEST_STRIDE * ANCHOR_REACH
    levels = 1 + max(0, math.ceil(math.log2(float(large) / reached)))
    levels = min(max(levels, least_levels), max(MOST_LEVELS, least_levels))
    return Anchors(scale, [FINEST_STRIDE * 2**level for level in range(levels)])


def choose_batch_size(num_frames: int) -> int:
    """Return the number of clips of a step: 4, fewer only if there are fewer training frames."""
    return max(1, min(4, num_frames))


def choose_flips(num_frames: int) -> tuple[list[float], list[str]]:
    """Return the probabilities and directions of flips.

    With fewer than :data:`FEW_FRAMES` training frames, variety is worth more than looking real, so
    that frames are also turned upside down.
    """
    if num_frames < FEW_FRAMES:
        return [0.25] * 3, ['horizontal', 'vertical', 'diagonal']
    return [0.5], ['horizontal']


def schedule_of(num_steps: int, num_frames: int, batch_size: int) -> Schedule:
    """Return the schedule of a number of steps: 6 % of them, at most 500, are warm-up.

    Each of the training frames with objects is the query frame of a clip.
    """
    warm_up = max(1, min(500, round(0.06 * num_steps)))
    return Schedule(num_steps, warm_up, num_steps * batch_size / num_frames)


def steps_of_epochs(epochs: float, num_frames: int, batch_size: int) -> int:
    """Return the number of steps of so many passes over the training frames."""
    return max(LEAST_STEPS, math.ceil(epochs * num_frames / batch_size))


def steps_of_time(
    seconds: float, step_seconds: float, num_frames: int, num_valid: int, batch_size: int
) -> int:
    """Return the number of steps that fit into a time.

    Two tests of the validation frames are set aside: one after the training and one of its own.
    A clip of a test, which has two new frames, takes less than a clip of a step. There are at most
    as many steps as :data:`MOST_EPOCHS` have.

    Args:
        seconds (float): All of the time.
        step_seconds (float): Measured time of a step.
        num_frames (int): Training frames with objects.
        num_valid (int): Validation frames.
        batch_size (int): Clips of a step.
    """
    tests = 2 * (num_valid / 2) * step_seconds / batch_size
    fitting = int((seconds - START_SECONDS - tests) / step_seconds)
    return max(LEAST_STEPS, min(fitting, steps_of_epochs(MOST_EPOCHS, num_frames, batch_size)))


def count_query_frames(file: AnnotationFile) -> int:
    """Return the number of frames that show an object, which are the training clips."""
    return sum(
        any(track.seen(frame) and not track.iscrowd for track in video.tracks)
        for video in file.videos
        for frame in range(video.length)
    )


def choose_workers(file: AnnotationFile, device: str, cores: int) -> int:
    """Return the number of processes that load clips: none for small frames on two cores."""
    if device != 'cpu':
        return min(4, cores)
    is_large = float(np.median([max(video.size) for video in file.videos])) > LARGE_FRAME
    return int(cores > 2 or is_large)


def make_choices(
    file: AnnotationFile,
    device: str,
    strides: Sequence[int] | None,
    cores: int,
    known_side: int | None = None,
) -> Choices:
    """Return all choices for a training set; the length is that of one pass.

    Args:
        file (AnnotationFile): Training set, with objects.
        device (str): ``'cpu'``, or another name for a GPU.
        strides (Sequence[int], optional): Strides of the model's anchors, None without anchors.
        cores (int): Cores of the machine.
        known_side (int, optional): Long side of frames in tests of the weights to start from.
    """
    scale = choose_scale(file, device, known_side)
    sides = object_sides(file, scale)
    small, large = map(float, np.percentile(sides, [5, 95]))
    frames = count_query_frames(file)
    batch_size = choose_batch_size(frames)
    return Choices(
        scale=scale,
        test_scale=choose_test_scale(scale, small),
        sides=(small, large),
        anchors=choose_anchors(sides, len(strides)) if strides else None,
        batch_size=batch_size,
        num_workers=choose_workers(file, device, cores),
        flips=choose_flips(frames),
        schedule=schedule_of(steps_of_epochs(1, frames, batch_size), frames, batch_size),
    )
