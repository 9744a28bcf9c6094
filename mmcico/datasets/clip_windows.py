"""Cutting of a video into clips at test time."""

from typing import NamedTuple

COMPLETIONS = ('shift', 'repeat')


class Window(NamedTuple):
    """One clip of a video.

    Attributes:
        frame_ids (tuple[int]): T positions in the video.
        num_final (int): Number of frames, from the first of the clip, whose results are final after
            this clip; the next clip writes the others.
        num_written (int): Number of frames, from the first of the clip, that the previous clip has
            written; this clip writes the others up to ``num_final``.
    """

    frame_ids: tuple[int, ...]
    num_final: int
    num_written: int = 0


def check_window(num_frames: int | None, overlap: int, completion: str) -> None:
    """Check the settings of clips.

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
        length (int): Number of frames of the video.
        num_frames (int, optional): T, number of frames of a clip; None makes one clip of the whole
            video.
        overlap (int): To, number of frames shared with the previous clip.
        completion (str): Treatment of a last clip that is too short: ``'shift'`` moves it back so
            that it ends with the video (a video shorter than a clip repeats its last frame);
            ``'repeat'`` makes one clip per start and fills a short clip with its own frames,
            beginning with its first (published models).

    Returns:
        list[Window]: Clips in order; every frame is written exactly once.

    Raises:
        ValueError: If an argument is out of its range.
    """
    check_window(num_frames, overlap, completion)
    if length < 1:
        raise ValueError(f'a video needs at least one frame, got {length}')
    if num_frames is None:
        return [Window(tuple(range(length)), length)]
    step = num_frames - overlap
    last = max(length - num_frames, 0)
    shift = completion == 'shift'
    starts = [*range(0, last, step), last] if shift else [*range(0, length, step)]
    # the last clip may begin among frames that are written already
    ends = [start + step for start in starts[:-1]] + [length]
    windows = []
    for start, end, written in zip(starts, ends, [0] + ends):
        there = min(length - start, num_frames)
        places = [min(t, there - 1) if shift else t % there for t in range(num_frames)]
        windows.append(Window(tuple(start + t for t in places), end - start, written - start))
    return windows


def next_window(seen: int, done: int, num_frames: int, overlap: int) -> Window | None:
    """Return the next clip of a video that is still going on, None if frames are missing.

    Of the frames, ``seen`` have arrived, and ``done`` clips were cut from them. The clip is that of
    :func:`clip_windows` at index ``done`` for the whole video (whose very last clip, though, is
    also final in its overlap frames).
    """
    step = num_frames - overlap
    start = done * step
    if start + num_frames > seen:
        return None
    return Window(tuple(range(start, start + num_frames)), step)
