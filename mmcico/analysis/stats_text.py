"""Statistics of an annotation file as text."""

from collections.abc import Sequence
from typing import Any

#: number of sizes of videos that are listed
MOST_SIZES = 5


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, the first column aligned to the left, others to the right.

    >>> aligned([['a', '1'], ['bc', '10']])
    ['a    1', 'bc  10']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        '  '.join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        ).rstrip()
        for row in rows
    ]


def spread_row(name: str, values: dict[str, float] | None, form: str = '.6g') -> list[str]:
    """Return a row of the smallest, mean, median and largest value."""
    keys = ('min', 'mean', 'median', 'max')
    return [name] + [format(values[key], form) if values else '-' for key in keys]


def stats_text(stats: dict[str, Any]) -> str:
    """Return all statistics as tables.

    Args:
        stats (dict): Result of :func:`mmcico.analysis.stats.dataset_stats`.
    """
    areas, seen = stats['area'], stats['visibility']
    counts = [
        [key.replace('_', ' '), str(stats[key])]
        for key in (
            'videos',
            'frames',
            'objects',
            'masks',
            'crowds',
            'videos_without_objects',
            'frames_without_objects',
        )
    ]
    spreads = [
        ['', 'min', 'mean', 'median', 'max'],
        spread_row('frames of a video', stats['length']),
        spread_row('objects of a video', stats['objects_per_video']),
        spread_row('objects of a frame', stats['objects_per_frame']),
        spread_row('share of frames seen', seen['share_of_frames'], '.1%'),
        spread_row('mean area, pixels', areas['pixels'], '.0f'),
        spread_row('mean area of frame', areas['share_of_frame'], '.2%'),
    ]
    objects = [
        ['objects that', ''],
        ['are seen in all frames', str(seen['in_all_frames'])],
        ['are seen in no frame', str(seen['in_no_frame'])],
        ['enter after the first frame', str(seen['enter_later'])],
        ['leave before the last frame', str(seen['leave_early'])],
        ['leave and come back', str(seen['come_back'])],
        ['are small (below 128^2)', str(areas['small'])],
        ['are medium', str(areas['medium'])],
        ['are large (above 256^2)', str(areas['large'])],
    ]
    blocks = [
        [stats['file']] + aligned(counts),
        size_lines(stats['sizes']),
        aligned(spreads),
        aligned(objects),
    ]
    if stats['left_out']:
        rows = [['left out', '']]
        blocks.append(aligned(rows + [[w, str(number)] for w, number in stats['left_out'].items()]))
    if stats['occlusion']:
        rows = [['masks by occlusion', '']]
        rows += [[word, str(num)] for word, num in stats['occlusion'].items()]
        blocks.append(aligned(rows))
    blocks.append(class_lines(stats['classes']))
    return '\n\n'.join('\n'.join(block) for block in blocks)


def size_lines(sizes: Sequence[dict]) -> list[str]:
    """Return the rows of the most frequent sizes."""
    rows = [['height x width', 'videos']]
    rows += [
        [f'{size["height"]} x {size["width"]}', str(size['videos'])] for size in sizes[:MOST_SIZES]
    ]
    rest = sizes[MOST_SIZES:]
    if rest:
        rows.append([f'{len(rest)} other sizes', str(sum(size['videos'] for size in rest))])
    return aligned(rows)


def class_lines(classes: Sequence[dict]) -> list[str]:
    """Return the rows of classes, those with most objects first."""
    rows = [['class (id)', 'objects', 'videos', 'masks']]
    for each in sorted(classes, key=lambda one: -one['objects']):
        rows.append(
            [f'{each["name"]} ({each["id"]})']
            + [str(each[key]) for key in ('objects', 'videos', 'masks')]
        )
    return aligned(rows)
