"""Generation of videos and their annotations, in memory or as a data set."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from mmcico.formats.rle import as_json, encode_masks
from mmcico.utils.files import claim_folder, write_whole
from mmcico.utils.image_reading import write_jpeg

from .classes import SHAPE_CLASSES
from .render import full_masks, render_frame, visible_masks
from .scene import Scene, SceneConfig, build_scene

# Largest hidden shares that OVIS' words stand for.
NO_OCCLUSION_UP_TO = 0.02
SLIGHT_OCCLUSION_UP_TO = 0.5

#: how ``instances.json`` begins
BEGINNING = re.compile(rb'{"info": {"description": "(moving|natural) shapes"')

Record = tuple[dict[str, Any], list[dict[str, Any]]]


@dataclass(frozen=True)
class Track:
    """One object over a video of T frames.

    Attributes:
        label: class index.
        masks: (T, H, W) bool, the visible part; empty where the object is absent.
        hidden: (T,) float64, the share of the part inside the frame that other things cover;
            NaN where the object is absent.
    """

    label: int
    masks: np.ndarray
    hidden: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """Frames in which the object is present, (T,) bool."""
        return ~np.isnan(self.hidden)


def make_track(label: int, full: np.ndarray, visible: np.ndarray, min_visible: int) -> Track | None:
    """Return a track from full and visible masks, (T, H, W) bool each.

    The result is None if no frame shows at least ``min_visible`` pixels of the object.
    """
    seen = visible.sum(axis=(1, 2))
    whole = full.sum(axis=(1, 2))
    present = seen >= min_visible
    if not present.any():
        return None
    hidden = 1 - seen / np.maximum(whole, 1)
    return Track(label, visible & present[:, None, None], np.where(present, hidden, np.nan))


def scene_tracks(scene: Scene, config: SceneConfig) -> list[Track]:
    """Return the tracks of those objects of a scene that are visible in some frame."""
    per_frame = [full_masks(scene, time, *config.size) for time in range(config.num_frames)]
    full = np.stack(per_frame, axis=1)
    visible = np.stack([visible_masks(f) for f in per_frame], axis=1)
    tracks = [
        make_track(thing.label, full[i], visible[i], config.min_visible)
        for i, thing in enumerate(scene.things)
        if thing.label is not None
    ]
    return [track for track in tracks if track is not None]


def occlusion_word(hidden: float) -> str | None:
    """Return OVIS' word for a hidden share, None for NaN (an absent object)."""
    if np.isnan(hidden):
        return None
    if hidden <= NO_OCCLUSION_UP_TO:
        return 'no_occlusion'
    return 'slight_occlusion' if hidden <= SLIGHT_OCCLUSION_UP_TO else 'severe_occlusion'


def track_annotation(track: Track) -> dict[str, Any]:
    """Return the annotation of a track in YouTube-VIS' layout, without its two ids."""
    length, height, width = track.masks.shape
    rles = [as_json(counts, (height, width)) for counts in encode_masks(track.masks)]
    return dict(
        category_id=track.label + 1,
        iscrowd=0,
        height=height,
        width=width,
        length=length,
        segmentations=rles,
        bboxes=[rle and [int(side) for side in mask_api.toBbox(rle)] for rle in rles],
        areas=[rle and int(mask_api.area(rle)) for rle in rles],
        occlusion=[occlusion_word(h) for h in track.hidden.tolist()],
    )


def categories(num_classes: int) -> list[dict[str, Any]]:
    """Return the categories of the first classes, with ids from 1."""
    return [
        dict(id=number, name=kind.name, supercategory='shape')
        for number, kind in enumerate(SHAPE_CLASSES[:num_classes], start=1)
    ]


def generate_video(
    seed: int, index: int, config: SceneConfig | None = None
) -> tuple[np.ndarray, list[Track]]:
    """Return video ``index`` of the data set ``seed``, whatever the size of the set.

    Args:
        seed: seed of the data set.
        index: index of the video, from 0.
        config: settings; medium difficulty by default.

    Returns:
        Frames (T, H, W, 3) uint8 BGR, and the tracks of the objects that are visible in them.
    """
    config = config or SceneConfig()
    scene = build_scene(np.random.default_rng([seed, index]), config)
    frames = np.stack(
        [render_frame(scene, time, *config.size) for time in range(config.num_frames)]
    )
    return frames, scene_tracks(scene, config)


def _write_video(index: int, out_dir: Path, seed: int, config: SceneConfig) -> Record:
    """Write the frames of a video, return its entry and its annotations."""
    frames, tracks = generate_video(seed, index, config)
    folder = f'{index:05d}'
    names = [f'{folder}/{t:05d}.jpg' for t in range(len(frames))]
    for name, frame in zip(names, frames):
        write_jpeg(out_dir / 'JPEGImages' / name, frame)
    height, width = config.size
    video = dict(id=index + 1, height=height, width=width, length=len(names), file_names=names)
    return video, [track_annotation(track) for track in tracks]


def _records(num_videos: int, workers: int, work: Callable[[int], Record]) -> Iterator[Record]:
    """Yield records in the order of the videos."""
    if workers <= 1:
        yield from map(work, range(num_videos))
        return
    # New processes are spawned, since forked ones may inherit locks of other threads.
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
        yield from pool.map(work, range(num_videos), chunksize=4)


def is_generated(folder: Path) -> bool:
    """Return whether a folder has a complete generated data set, also of an earlier version."""
    try:
        with open(folder / 'instances.json', 'rb') as file:
            return BEGINNING.match(file.read(99)) is not None
    except OSError:
        return False


def claim_dataset(folder: Path) -> None:
    """Create or take the folder of a generated data set, see :func:`claim_folder`."""
    claim_folder(folder, ('instances.json', 'JPEGImages'), is_generated(folder))


def write_dataset(
    out_dir: str | Path,
    num_videos: int,
    seed: int = 0,
    config: SceneConfig | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write ``instances.json`` and ``JPEGImages/<video>/<frame>.jpg``.

    Args:
        out_dir: folder, created if it does not exist.
        num_videos: number of videos.
        seed: seed of the data set; use another one for validation.
        config: settings; medium difficulty by default.
        workers: number of processes; the result does not depend on it.
        progress: function that is called with the number of finished videos after each one.

    Returns:
        Path of the annotation file, which is written last.

    Raises:
        ValueError: If ``num_videos`` or ``seed`` is negative, or the folder has other data.
        OSError: If a file cannot be written.
    """
    if num_videos < 0 or seed < 0:
        raise ValueError(
            f'moving shapes: num_videos is {num_videos} and seed '
            f'is {seed}, choose numbers from 0 up'
        )
    config = config or SceneConfig()
    out_dir = Path(out_dir)
    claim_dataset(out_dir)
    work = partial(_write_video, out_dir=out_dir, seed=seed, config=config)
    info = dict(description='moving shapes', seed=seed, **asdict(config))
    classes = categories(config.num_classes)
    records = _records(num_videos, workers, work)
    return write_records(out_dir / 'instances.json', records, info, classes, progress)


def write_records(
    path: Path,
    records: Iterable[Record],
    info: dict[str, Any],
    classes: list[dict[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write an annotation file and return its path.

    Args:
        path: the file.
        records: entry and annotations of each video; annotations get ids, from 1.
        info: content of the field ``info``.
        classes: entries of ``categories``.
        progress: see :func:`write_dataset`.
    """
    videos: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for video, tracks in records:
        videos.append(video)
        for track in tracks:
            track.update(id=len(annotations) + 1, video_id=video['id'])
            annotations.append(track)
        if progress is not None:
            progress(len(videos))
    content = dict(
        info=info, licenses=[], videos=videos, categories=classes, annotations=annotations
    )
    write_whole(path, json.dumps(content))
    return path
