"""Which files are written of a run, and where."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcico.utils.whole_file import write_whole
from mmcico.visualization.style import DrawStyle

from .background import BackgroundSink
from .outputs import MaskSink, OverlaySink, ResultSink, TrackSink
from .sources import FrameSource

SAVE = ('video', 'masks', 'json')
#: frames a second where a source does not say
DEFAULT_FPS = 10.0


@dataclass(frozen=True)
class OutputPlan:
    """Files of a run.

    Attributes:
        out_dir: folder; no file is written without.
        save: of ``'video'``, ``'masks'`` and ``'json'``.
        score_thr: instances below are not shown.
        style: how overlays look.
        fps: frames a second of overlays; the source's where None.

    Raises:
        ValueError: If the folder cannot be written, ``save`` has another
            word, or ``fps`` is out of its range.
    """

    out_dir: str | None = None
    save: tuple[str, ...] = SAVE
    score_thr: float = 0.3
    style: DrawStyle = DrawStyle()
    fps: float | None = None

    def __post_init__(self) -> None:
        unknown = set(self.save) - set(SAVE)
        if unknown:
            raise ValueError(f'save={self.save}: {sorted(unknown)} is none of {SAVE}')
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ValueError(f'fps={self.fps}: choose a number above 0, up to 1000')
        if self.out_dir is not None:
            check_writable(Path(self.out_dir))

    def wants(self, what: str) -> bool:
        """Whether files of a kind are written."""
        return self.out_dir is not None and what in self.save

    def video_path(self, name: str) -> Path:
        """Overlay of a video."""
        return Path(self.out_dir) / 'videos' / f'{name}.mp4'

    def sinks(self, source: FrameSource, classes: Sequence[str]) -> list[ResultSink]:
        """Where the frames of a video go.

        Args:
            source (FrameSource): The video.
            classes (Sequence[str]): Names by label.

        Returns:
            list[ResultSink]: To be closed.
        """
        sinks: list[ResultSink] = []
        if self.wants('video'):
            sinks.append(
                OverlaySink(
                    self.video_path(source.name),
                    self.fps or source.fps or DEFAULT_FPS,
                    classes,
                    self.score_thr,
                    self.style,
                )
            )
        if self.wants('masks'):
            folder = Path(self.out_dir) / 'masks' / source.name
            sinks.append(MaskSink(folder, self.score_thr))
        return [BackgroundSink(sink) for sink in sinks]

    def videos(self, runs: Sequence[TrackSink]) -> list[str]:
        """Paths of all overlays."""
        if not self.wants('video'):
            return []
        return [str(self.video_path(run.name)) for run in runs]

    def write_tracks(self, runs: Sequence[TrackSink]) -> None:
        """Write the tracks of all videos, as far as they were followed."""
        if not self.wants('json'):
            return
        folder = Path(self.out_dir)
        entries = [entry for run in runs for entry in run.entries()]
        write_json(folder / 'results.json', entries)
        for run in runs:
            write_json(folder / 'tracks' / f'{run.name}.json', run.records())


def check_writable(folder: Path) -> None:
    """Make a folder and find out early whether it takes files.

    Raises:
        ValueError: If it does not.
    """
    probe = folder / '.mmcico'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f'cannot write to the folder {folder}: {error.strerror or error}'
        ) from error


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file and the folders above it, as a whole or not at all.

    Raises:
        OSError: If it cannot be written; a file that was there stays.
    """
    write_whole(path, json.dumps(content))


def distinct(name: str, seen: dict[str, int]) -> str:
    """A name for files that no other video of the run has.

    Args:
        name (str): Any; what file names cannot have becomes ``_``.
        seen (dict[str, int]): How often each came, kept up to date.

    Returns:
        str: ``name``, ``name_2`` and so on. Case does not tell names apart,
        as it does not on Windows.
    """
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f]', '_', name).strip('. ') or 'video'
    free = name
    while free.lower() in seen:
        seen[name.lower()] += 1
        free = f'{name}_{seen[name.lower()]}'
    seen[free.lower()] = 1
    return free
