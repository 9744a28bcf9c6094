"""How a video is cut into clips at test time."""

from typing import NamedTuple

COMPLETIONS = ('shift', 'repeat')


class Window(NamedTuple):
    """One clip of a video.

    Attributes:
        frame_ids (tuple[int]): T positions in the video.
        num_final (int): Frames from its start whose results are final after
            this clip; what is left is written by the next one.
        num_written (int): Frames from its start that the clip before has
            written; the others up to ``num_final`` are this clip's.
    """

    frame_ids: tuple[int, ...]
    num_final: int
    num_written: int = 0


def check_window(num_frames: int | None, overlap: int, completion: str) -> None:
    """Refuse settings that make no clips.

    Raises:
        ValueError: If a value is out of its range.
    """
    if num_frames is None:
        return
    if num_frames < 1:
        raise ValueError(f'num_frames must be at least 1, got {num_frames}')
    if not 0 <= overlap < num_frames:
        raise ValueError(
            f'overlap must be from 0 to num_frames - 1 = {num_frames - 1}, got {overlap}'
        )
    if completion not in COMPLETIONS:
        raise ValueError(f'completion {completion!r} is none of {COMPLETIONS}')


def clip_windows(
    length: int, num_frames: int | None, overlap: int, completion: str = 'shift'
) -> list[Window]:
    """Cut a video into clips that start every ``num_frames - overlap``.

    Args:
        length (int): Frames of the video.
        num_frames (int, optional): T, frames of a clip. None makes one clip of the whole video.
        overlap (int): To, frames shared with the clip before.
        completion (str): What becomes of a last clip that is too short:
            ``'shift'`` moves it back to end with the video (a video shorter
            than a clip repeats its last frame); ``'repeat'`` makes as many
            clips as there are starts and fills a short one with its own
            frames from its start (published models).

    Returns:
        list[Window]: In order; every frame is written exactly once.

    Raises:
        ValueError: If an argument makes no sense.
    """
    check_window(num_frames, overlap, completion)
    if length < 1:
        raise ValueError(f'a video needs at least one frame, got {length}')
    if num_frames is None:
        return [Window(tuple(range(length)), length)]
    step = num_frames - overlap
    starts = window_starts(length, num_frames, step, completion)
    # the last clip may begin among frames that are written already
    ends = [start + step for start in starts[:-1]] + [length]
    fill = shifted_frames if completion == 'shift' else repeated_frames
    return [
        Window(fill(start, length, num_frames), end - start, before - start)
        for start, end, before in zip(starts, ends, [0] + ends)
    ]


def next_window(seen: int, done: int, num_frames: int, overlap: int) -> Window | None:
    """The next clip of a video that still goes on, once its frames are there.

    Args:
        seen (int): Frames that have come.
        done (int): Clips that were cut from them.
        num_frames (int): T.
        overlap (int): To.

    Returns:
        Window | None: What :func:`clip_windows` gives at place ``done`` for
        the whole video, except that the very last clip of a video is also
        final in its overlap frames; None if frames are missing.
    """
    step = num_frames - overlap
    start = done * step
    if start + num_frames > seen:
        return None
    return Window(tuple(range(start, start + num_frames)), step)


def window_starts(length: int, num_frames: int, step: int, completion: str) -> list[int]:
    """First frames of the clips."""
    if completion == 'repeat':
        return list(range(0, length, step))
    last = max(length - num_frames, 0)
    return list(range(0, last, step)) + [last]


def shifted_frames(start: int, length: int, num_frames: int) -> tuple[int, ...]:
    """Frames from ``start``, the last one repeated beyond the end."""
    return tuple(min(start + t, length - 1) for t in range(num_frames))


def repeated_frames(start: int, length: int, num_frames: int) -> tuple[int, ...]:
    """Frames from ``start``, from the start again beyond the end."""
    there = min(length - start, num_frames)
    return tuple(start + t % there for t in range(num_frames))
