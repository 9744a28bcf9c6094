"""Files that hold results: JSON, a zip with it, and parts of a test.

A part is ``results.rank<r>.jsonl``, one line a finished video:
``{"video_id": ..., "results": [...]}``.
"""

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .fields import as_id, id_key, id_order
from .json_file import load_json, parse_json
from .problems import Problems

#: file in a zip, and of a finished test
RESULTS = 'results.json'
#: bytes of the largest results.json that is unpacked
MOST_BYTES = 2**30
#: results of this size shrink less than so many times; more is no results file
BOMB_BYTES, BOMB_RATIO = 2**26, 300


def load_results(path: str | Path, problems: Problems) -> Any:
    """Return the JSON of a file of results of any kind.

    Args:
        path (str | Path): JSON, zip, part or folder of parts.
        problems (Problems): Gets what is wrong.

    Returns:
        Any: The parsed JSON; None after an error.
    """
    path = Path(path)
    try:
        if path.is_dir() and (path / RESULTS).is_file():
            path = path / RESULTS
        if path.is_dir() or path.suffix == '.jsonl':
            parts = find_parts(path) if path.is_dir() else {0: path}
            if not parts:
                raise ValueError(f'{path} has no {RESULTS} and no results.rank<r>.jsonl')
            records = unique_records(each for part in parts.values() for each in read_part(part))
            return [track for record in records for track in record['results']]
        if path.suffix.lower() == '.zip' or (path.is_file() and zipfile.is_zipfile(path)):
            return read_zip(path, problems)
        return load_json(path)
    except ValueError as error:
        if not problems.collect:
            raise
        problems.error('layout', str(error))
    return None


def read_zip(path: Path, problems: Problems) -> Any:
    """Return the JSON of ``results.json`` in a zip.

    Args:
        path (Path): The zip.
        problems (Problems): Gets members that servers refuse.

    Raises:
        ValueError: If the zip is broken, has no such member or would fill
            the memory.
    """
    if not path.is_file():
        raise ValueError(f'{path} cannot be read: there is no such file')
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            inside = [each for each in members if _base(each.filename) == RESULTS]
            _check_members([each.filename for each in members], str(path), problems)
            if not inside:
                names = [each.filename for each in members][:5]
                raise ValueError(f'{path} holds no {RESULTS}, but {names}')
            size, packed = inside[0].file_size, max(inside[0].compress_size, 1)
            if size > MOST_BYTES or (size > BOMB_BYTES and size > BOMB_RATIO * packed):
                raise ValueError(
                    f'{path}: {RESULTS} has {size} bytes, packed {packed}; that is no results '
                    f'file (at most {MOST_BYTES} bytes are unpacked)'
                )
            data = file.read(inside[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror or error}') from error
    return parse_json(data, f'{path}: {RESULTS}')


def _base(name: str) -> str:
    return name.replace('\\', '/').rsplit('/', 1)[-1]


def _check_members(names: list[str], where: str, problems: Problems) -> None:
    """Report what evaluation servers refuse in a zip that can be read."""
    if RESULTS not in names and any(_base(each) == RESULTS for each in names):
        folder = next(each for each in names if _base(each) == RESULTS)
        message = f'{RESULTS} is inside a folder ({folder}); zip the file, not its folder'
        problems.defect('layout', message)
    more = [each for each in names if _base(each) != RESULTS]
    if names.count(RESULTS) > 1:
        more.append(RESULTS + ' once more')
    if more:
        message = f'holds {len(more)} more than {RESULTS}: {more[:5]}; servers want it alone'
        problems.defect('layout', message)


def find_parts(outdir: str | Path) -> dict[int, Path]:
    """Return the parts in a folder, by rank."""
    parts = {}
    for path in Path(outdir).glob('results.rank*.jsonl'):
        rank = path.name[len('results.rank') : -len('.jsonl')]
        if rank.isdecimal():
            parts[int(rank)] = path
    return dict(sorted(parts.items()))


def read_part(path: Path) -> list[dict[str, Any]]:
    """Return the finished videos of a part.

    A last line without its end was being written when the test stopped; that
    video is left out.

    Raises:
        ValueError: If the file cannot be read or another line is broken.
    """
    if not path.is_file():
        raise ValueError(f'{path} cannot be read: there is no such file')
    records = []
    with path.open('rb') as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b'\n'):
                break
            where = f'{path}: line {number}'
            record = parse_json(line, where)
            if not isinstance(record, dict) or as_id(record.get('video_id')) is None:
                raise ValueError(f'{where} is not an object with video_id and results')
            if not isinstance(record.get('results'), list):
                raise ValueError(f"{where}: field 'results' is not a list of tracks")
            records.append(record)
    return records


def unique_records(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one record a video, in the order of ids; the first one counts."""
    first: dict[str, dict[str, Any]] = {}
    for record in records:
        first.setdefault(id_key(record['video_id']), record)
    return sorted(first.values(), key=lambda each: id_order(each['video_id']))
