"""Submissions: a zip with ``results.json`` and nothing else."""

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

from mmcico.utils.json_file import load_json

from .results_file import RESULTS
from .submission_checks import Defect, check_tracks
from .vis_json import GroundTruth, read_ground_truth

PathLike = str | Path
# a fixed date makes equal results equal files
NO_DATE = (1980, 1, 1, 0, 0, 0)


def read_server_side(path: PathLike) -> GroundTruth:
    """Videos and categories of the file that a server has; objects unread.

    Raises:
        ValueError: If the file is not usable.
    """
    data = load_json(path)
    if not isinstance(data, dict):
        raise ValueError(
            f'{path} holds a {type(data).__name__}, not an '
            'object with videos; are the two files swapped?'
        )
    return read_ground_truth({key: data.get(key) for key in ('videos', 'categories')}, str(path))


def read_submission(path: PathLike) -> tuple[Any, list[Defect]]:
    """What is in a results file or a zip, and what is wrong with the zip.

    Args:
        path (str | Path): JSON, or a zip by its content or name.

    Returns:
        tuple[Any, list[Defect]]: The parsed JSON, None if there is none, and
        defects of the zip.

    Raises:
        ValueError: If a JSON file is missing or broken.
    """
    path = Path(path)
    is_zip = path.suffix.lower() == '.zip'
    if not path.is_file() or not (is_zip or zipfile.is_zipfile(path)):
        return load_json(path), []
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            defects = check_members(names, str(path))
            inside = [each for each in names if _base(each) == RESULTS]
            if not inside:
                return None, defects
            text = file.read(inside[0]).decode('utf-8')
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        NotImplementedError,
        UnicodeDecodeError,
    ) as error:
        return None, [Defect('zip', str(path), f'cannot be read: {error}')]
    try:
        return json.loads(text), defects
    except json.JSONDecodeError as error:
        broken = Defect('json', f'{path}: {inside[0]}', f'is not complete JSON: {error}')
        return None, defects + [broken]


def _base(name: str) -> str:
    return name.replace('\\', '/').rsplit('/', 1)[-1]


def check_members(names: list[str], where: str) -> list[Defect]:
    """Defects of the list of files in a zip.

    Args:
        names (list[str]): As the zip has them.
        where (str): The zip, for messages.
    """
    defects = []
    if RESULTS not in names:
        folders = [each for each in names if _base(each) == RESULTS]
        defects.append(
            Defect(
                'zip',
                where,
                f'{RESULTS} is inside a folder ({folders[0]}); zip the file, not its folder'
                if folders
                else f'holds no {RESULTS}, but {names[:5]}',
            )
        )
    more = [each for each in names if _base(each) != RESULTS]
    if names.count(RESULTS) > 1:
        more.append(RESULTS + ' once more')
    if more:
        defects.append(
            Defect(
                'zip',
                where,
                f'holds {len(more)} more than {RESULTS}: {more[:5]}; servers want that file alone',
            )
        )
    return defects


def check_submission(path: PathLike, truth: GroundTruth) -> list[Defect]:
    """All that a server would refuse or misread.

    Args:
        path (str | Path): ``results.json`` or a zip of it.
        truth (GroundTruth): From :func:`read_server_side`.

    Returns:
        list[Defect]: Empty if there is nothing to say.
    """
    tracks, defects = read_submission(path)
    if tracks is None and defects:
        return defects
    return defects + list(check_tracks(tracks, truth, str(path)))


def write_submission(path: PathLike, tracks: list[dict]) -> int:
    """Write the zip; the same tracks give the same bytes.

    Args:
        path (str | Path): File that ends in ``.zip``; replaced if there.
        tracks (list[dict]): Entries of ``results.json``.

    Returns:
        int: Bytes of the zip.

    Raises:
        ValueError: If the name does not end in ``.zip``.
    """
    path = Path(path)
    if path.suffix.lower() != '.zip':
        raise ValueError(f'{path}: the servers want a name that ends in .zip')
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + '.part')
    entry = zipfile.ZipInfo(RESULTS, NO_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    try:
        with zipfile.ZipFile(draft, 'w') as file:
            file.writestr(entry, json.dumps(tracks, allow_nan=False))
        os.replace(draft, path)
    finally:
        if draft.exists():
            draft.unlink()
    return path.stat().st_size
