"""Files that a run writes, and their paths."""

import json
import os
import tempfile
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcico.utils.files import distinct, is_unicode, write_whole
from mmcico.utils.image_reading import LEAST_FPS, MOST_FPS, usable_rate
from mmcico.visualization.style import DrawStyle

from .mask_pictures import is_mask_picture
from .outputs import BackgroundSink, MaskSink, OverlaySink, ResultSink, TrackSink
from .sources import FrameSource, Source, files_of, open_source

#: what can be saved, and the paths of it for a video
FILES = dict(video='videos/{}.mp4', masks='masks/{}', json='tracks/{}.json')
SAVE = tuple(FILES)
#: what tells files and folders apart that exist: the device and their number on it
Identity = tuple[int, int]
#: frames per second of sources that state none
DEFAULT_FPS = 10.0
#: least score that is shown, unless the config of a model has another ``shown_score``
SHOWN_SCORE = 0.3


@dataclass(frozen=True)
class OutputPlan:
    """Files of a run.

    Attributes:
        out_dir: Output folder; no file is written without it.
        save: Some of ``'video'``, ``'masks'`` and ``'json'``.
        score_thr: Instances with a lower score are not shown.
        style: Settings of overlays.
        fps: Frames per second of overlays; those of the source if None.

    Raises:
        ValueError: If the folder cannot be written, ``save`` has an unknown word, or ``score_thr``
            or ``fps`` is out of its range.
    """

    out_dir: str | None = None
    save: tuple[str, ...] = SAVE
    score_thr: float = SHOWN_SCORE
    style: DrawStyle = DrawStyle()
    fps: float | None = None

    def __post_init__(self) -> None:
        unknown = set(self.save) - set(SAVE)
        if unknown:
            raise ValueError(f'save={self.save}: {sorted(unknown)} is none of {SAVE}')
        if not 0 <= self.score_thr <= 1:
            raise ValueError(f'score_thr={self.score_thr}: scores are between 0 and 1')
        if self.fps is not None and usable_rate(self.fps) is None:
            raise ValueError(f'fps={self.fps}: choose a number from {LEAST_FPS:g} to {MOST_FPS:g}')
        if self.out_dir is not None:
            check_writable(Path(self.out_dir))

    def _path(self, what: str, name: str) -> Path | None:
        """Return the file or folder of a kind for a video, None if it is not wanted."""
        if self.out_dir is None or what not in self.save:
            return None
        return Path(self.out_dir, FILES[what].format(name))

    def check_spared(self, name: str, taken: Container[Identity | None]) -> None:
        """Check that the files of a video replace no files of a source, and no other pictures.

        Args:
            name (str): Name of the video.
            taken (Container): Result of :func:`identities` for all sources.

        Raises:
            ValueError: If they would.
        """
        for what in ('video', 'masks'):
            path = self._path(what, name)
            if path and _identity(path) in taken:
                raise ValueError(
                    f'the output {path} would replace files of a source; choose another output '
                    f'folder than {self.out_dir}, or leave out "{what}" of what is saved'
                )
        masks = self._path('masks', name)
        for picture in sorted(masks.glob('?????*.png')) if masks else ():
            is_taken = picture.stem.isdecimal() and picture.is_file()
            if is_taken and not is_mask_picture(picture):
                raise ValueError(
                    f'the output {masks} would replace {picture.name}, which mmcico did not write; '
                    f'choose another output folder than {self.out_dir}, or leave out "masks" of '
                    'what is saved'
                )

    def sinks(self, source: FrameSource, classes: Sequence[str]) -> list[ResultSink]:
        """Return the sinks for the frames of a video, which must be closed."""
        sinks: list[ResultSink] = []
        if path := self._path('video', source.name):
            fps = self.fps or source.fps or DEFAULT_FPS
            sinks.append(OverlaySink(path, fps, classes, self.score_thr, self.style))
        if path := self._path('masks', source.name):
            sinks.append(MaskSink(path, self.score_thr))
        return [BackgroundSink(sink) for sink in sinks]

    def videos(self, runs: Sequence[TrackSink]) -> list[str]:
        """Return the paths of all overlays."""
        return [str(path) for run in runs if (path := self._path('video', run.name))]

    def write_tracks(self, runs: Sequence[TrackSink]) -> None:
        """Write the tracks of all videos, including those that ended early.

        If no video has a frame, files of an earlier run stay as they are.

        Raises:
            OSError: If a file cannot be written; one that was there stays as it was.
        """
        runs = [run for run in runs if run.results.length]
        paths = [path for run in runs if (path := self._path('json', run.name))]
        if paths:
            entries = [entry for run in runs for entry in run.entries()]
            write_whole(Path(self.out_dir or '', 'results.json'), json.dumps(entries))
        for path, run in zip(paths, runs):
            write_whole(path, json.dumps(run.records()))


def named_sources(sources: Iterable[Source]) -> Iterator[FrameSource]:
    """Open sources one after the other, with distinct names.

    Raises:
        ValueError: If one cannot be opened.
    """
    names: dict[str, int] = {}
    for source in sources:
        opened = open_source(source)
        opened.name = distinct(opened.name, names)
        yield opened


def identities(sources: Iterable[Source]) -> set[Identity]:
    """Return what identifies the files of sources, and the folders that hold them.

    Raises:
        ValueError: If a folder or glob has both images and videos, or neither.
    """
    files = {file for source in sources for file in files_of(source)}
    found = map(_identity, files | set(map(os.path.dirname, map(os.path.abspath, files))))
    return {each for each in found if each is not None}


def _identity(path: str | Path) -> Identity | None:
    """Return what identifies a file or folder by any of its names, None if it does not exist."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # such as a zero byte in the name
        return None
    return found.st_dev, found.st_ino


def check_writable(folder: Path) -> None:
    """Create a folder and check that files can be written to it.

    Raises:
        ValueError: If they cannot.
    """
    if not is_unicode(folder):
        raise ValueError(
            f'cannot write to the folder {folder}: its name is not valid Unicode; if it looks '
            'right, set PYTHONUTF8=1 in the environment'
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(
            f'cannot write to the folder {folder}: {error.strerror or error}'
        ) from error
