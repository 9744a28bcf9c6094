"""One number, and so one colour, for an object that several files have."""

from collections.abc import Sequence

from mmcico.evaluation.matching import best_pairs, video_iou
from mmcico.evaluation.rle import Size
from mmcico.evaluation.tracks import Track

#: tracks that overlap less, over space and time, are not the same object
LEAST_IOU = 0.1


def shared_numbers(
    files: Sequence[Sequence[Track]], size: Size, least: float = LEAST_IOU
) -> list[list[int]]:
    """Number the tracks of a video in several files.

    The tracks of the first file are 0, 1, 2 ... Those of another file take
    the numbers of their partners in the first one. Whatever is left looks
    for partners among what was new in the second file, then in the third
    one and so on, and takes the next free number if there is none.
    Categories do not matter.

    Args:
        files: tracks of each file; some may have none.
        size: height and width of the video.
        least: tracks that overlap less, over space and time, are not the
            same object.

    Returns:
        Numbers of the tracks of each file; no number twice in a file.
    """
    known: list[tuple[list[Track], list[int]]] = []
    answer, free = [], 0
    for tracks in files:
        numbers = [-1] * len(tracks)
        left = list(range(len(tracks)))
        for others, theirs in known:
            iou = video_iou([tracks[place] for place in left], others, size)
            for row, col in best_pairs(iou, least):
                numbers[left[row]] = theirs[col]
            left = [place for place in left if numbers[place] < 0]
        new = list(range(free, free + len(left)))
        for place, number in zip(left, new):
            numbers[place] = number
        known.append(([tracks[place] for place in left], new))
        free += len(left)
        answer.append(numbers)
    return answer
