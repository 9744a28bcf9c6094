"""Files of results: parts while a test runs, the submission at its end.

A part is ``results.rank<r>.jsonl``, one line a finished video:
``{"video_id": ..., "results": [...]}``. What was finished before a crash can
so be turned into a submission by ``merge_parts``.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PathLike = str | Path
Record = dict[str, Any]
RESULTS = 'results.json'


def part_path(outdir: PathLike, rank: int) -> Path:
    """Where a process puts the videos it has finished."""
    return Path(outdir) / f'results.rank{rank}.jsonl'


def find_parts(outdir: PathLike) -> dict[int, Path]:
    """Parts in a folder, by rank."""
    parts = {}
    for path in Path(outdir).glob('results.rank*.jsonl'):
        rank = path.name[len('results.rank') : -len('.jsonl')]
        if rank.isdigit():
            parts[int(rank)] = path
    return dict(sorted(parts.items()))


def append_record(path: Path, record: Record) -> None:
    """Add a finished video to a part."""
    with path.open('a', encoding='utf-8') as file:
        file.write(json.dumps(record) + '\n')


def read_part(path: Path) -> list[Record]:
    """Videos of a part.

    A last line without its end was being written when the test stopped; that
    video is left out.

    Raises:
        ValueError: If another line is broken.
    """
    records = []
    with path.open(encoding='utf-8') as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith('\n'):
                break
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ValueError(
                    f'{path}: line {number} is not JSON: {error.msg} at column {error.colno}'
                ) from error
    return records


def unique_records(records: Iterable[Record]) -> list[Record]:
    """One record a video, in the order of ids; the first one counts."""
    first: dict[Any, Record] = {}
    for record in records:
        first.setdefault(record['video_id'], record)
    order = sorted(first, key=lambda each: (isinstance(each, str), each))
    return [first[each] for each in order]


def save_results(outdir: PathLike, records: Iterable[Record]) -> None:
    """Write ``results.json`` and ``submission.zip``, which holds only it.

    Args:
        outdir (str | Path): Folder, made if need be.
        records (Iterable[dict]): One a video.
    """
    tracks = [track for each in records for track in each['results']]
    path = Path(outdir) / RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tracks), encoding='utf-8')
    with zipfile.ZipFile(path.with_name('submission.zip'), 'w', zipfile.ZIP_DEFLATED) as file:
        file.write(path, RESULTS)


def save_metrics(path: PathLike, metrics: dict[str, Any]) -> None:
    """Write figures, ``null`` where there is no ground truth."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=1) + '\n', encoding='utf-8')


def merge_parts(outdir: PathLike) -> int:
    """Turn the parts of a test that was cut short into a submission.

    Args:
        outdir (str | Path): The ``outdir`` of the metric.

    Returns:
        int: Number of videos in ``results.json``.

    Raises:
        ValueError: If there is no part or one is broken.
    """
    parts = find_parts(outdir)
    if not parts:
        raise ValueError(
            f'{outdir} holds no results.rank<r>.jsonl: no test that wrote there was cut short'
        )
    records = unique_records(record for path in parts.values() for record in read_part(path))
    save_results(outdir, records)
    return len(records)
