"""Files of results: parts while a test runs, the submission at its end.

A part is ``results.rank<r>.jsonl`` with one line for each finished video: ``{"video_id": ...,
"results": [...]}``. ``merge_parts`` turns the parts of an interrupted test into a submission, and
``tools/test.py --resume`` continues the test.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmcico.formats.read import load_json
from mmcico.formats.results import RESULTS, find_parts, read_part, unique_records
from mmcico.formats.write import write_json, write_results
from mmcico.utils.files import defined

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

PathLike = str | Path
Record = dict[str, Any]
#: names the model and settings that the parts in a folder come from
RUN = 'results.run.json'


class Part:
    """The finished videos of one process, which no other process may write at the same time.

    Args:
        outdir (str | Path): Folder, which is created if necessary.
        rank (int): Rank of the process.
        resume (bool): Whether to keep the videos that an interrupted test finished.

    Attributes:
        count (int): Number of videos.

    Raises:
        ValueError: If another test is writing to the folder.
        OSError: If the file cannot be written.
    """

    def __init__(self, outdir: PathLike, rank: int, resume: bool = False) -> None:
        self.path = part_path(outdir, rank)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open('a+b')
        _lock(self._file, self.path)
        self._file.seek(0)
        lines = self._file.read() if resume else b''
        # a last line without its end was being written when the test stopped
        self._file.truncate(lines.rfind(b'\n') + 1)
        self.count = lines.count(b'\n')

    def append(self, record: Record) -> None:
        """Add a finished video."""
        self._file.write(json.dumps(record).encode() + b'\n')
        self._file.flush()
        self.count += 1

    def records(self) -> list[Record]:
        """Return all videos.

        Raises:
            ValueError: If the file does not hold the videos that were added.
        """
        records = read_part(self.path)
        if len(records) != self.count:
            raise ValueError(
                f'{self.path} holds {len(records)} videos, but this process finished '
                f'{self.count}; another program wrote to it, so use a folder for each test'
            )
        return records

    def close(self, remove: bool = False) -> None:
        """Release the file for other tests, or delete it."""
        if remove:
            self.path.unlink(missing_ok=True)
        self._file.close()


def _lock(file: Any, path: Path) -> None:
    """Claim an open file until it is closed; close it and raise if another process has it."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ValueError(
            f'{path} is being written by another test or validation; choose another folder '
            '(--work-dir, or outdir of VISMetric) or wait until that one has ended'
        ) from error
    except OSError:  # file systems without locks; records() notices other writers
        return


def open_part(
    outdir: PathLike,
    rank: int,
    world_size: int,
    resume: bool = False,
    fingerprint: str | None = None,
) -> Part:
    """Open the part of a process in a folder of results at the begin of a test.

    Rank 0 also takes care of the parts of ranks that do not exist any more. With ``resume``, the
    videos that an interrupted test finished are kept; ``fingerprint`` names model and settings.

    Raises:
        ValueError: If another test is writing to the folder, or if the results to be continued
            come from another model or other settings.
        OSError: If the folder cannot be written.
    """
    run = Path(outdir) / RUN
    # another process may have made its part already
    if resume and any(part.stat().st_size for part in find_parts(outdir).values()):
        before = load_json(run) if run.is_file() else {}
        if not isinstance(before, dict) or before.get('fingerprint') != fingerprint:
            raise ValueError(
                f'{outdir} holds results of another checkpoint or config, which cannot be '
                'continued; leave out --resume to start from the first video, or choose another '
                'folder'
            )
    own = Part(outdir, rank, resume)
    if rank == 0:
        try:
            for other, path in find_parts(outdir).items():
                if other >= world_size:
                    part = Part(outdir, other, resume)
                    for record in read_part(path) if resume else ():
                        own.append(record)
                    part.close(remove=True)
            write_json(run, dict(fingerprint=fingerprint))
        except (ValueError, OSError):
            own.close()
            raise
    return own


def part_path(outdir: PathLike, rank: int) -> Path:
    """Return the file that a process writes its finished videos to."""
    return Path(outdir) / f'results.rank{rank}.jsonl'


def save_results(outdir: PathLike, records: Iterable[Record]) -> None:
    """Write ``results.json`` and ``submission.zip``, which holds only that file, to a folder."""
    tracks = [track for each in records for track in each['results']]
    write_results(Path(outdir) / RESULTS, tracks)
    write_results(Path(outdir) / 'submission.zip', tracks)


def save_metrics(path: PathLike, metrics: dict[str, Any]) -> None:
    """Write figures as JSON, ``null`` where they are not defined, such as without ground truth."""
    write_json(path, defined(metrics), indent=1)


def merge_parts(outdir: PathLike) -> int:
    """Turn the parts of an interrupted test into a submission.

    Args:
        outdir (str | Path): Folder of the results.

    Returns:
        int: Number of videos in ``results.json``.

    Raises:
        ValueError: If there is no part or one is broken.
    """
    parts = find_parts(outdir)
    if not parts:
        raise ValueError(
            f'{outdir} holds no results.rank<r>.jsonl: no test that wrote there was interrupted'
        )
    records = unique_records(record for path in parts.values() for record in read_part(path))
    save_results(outdir, records)
    return len(records)
