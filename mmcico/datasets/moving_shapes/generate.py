"""Generated videos, in memory or as a data set of YouTube-VIS' layout."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .annotations import Track, categories, make_track, track_annotation
from .classes import SHAPE_CLASSES
from .config import SceneConfig
from .render import full_masks, render_frame, visible_masks
from .scene import Scene, build_scene

JPEG_QUALITY = 95
Record = tuple[dict[str, Any], list[dict[str, Any]]]


def scene_tracks(scene: Scene, config: SceneConfig) -> list[Track]:
    """Tracks of a scene's objects, those never seen left out."""
    per_frame = [full_masks(scene, time, *config.size) for time in range(config.num_frames)]
    full = np.stack(per_frame, axis=1)
    visible = np.stack([visible_masks(f) for f in per_frame], axis=1)
    tracks = [
        make_track(thing.label, full[i], visible[i], config.min_visible)
        for i, thing in enumerate(scene.things)
        if thing.label is not None
    ]
    return [track for track in tracks if track is not None]


def generate_video(
    seed: int, index: int, config: SceneConfig | None = None
) -> tuple[np.ndarray, list[Track]]:
    """Video ``index`` of the data set ``seed``, whatever the set's size.

    Args:
        seed: of the data set.
        index: of the video, from 0.
        config: settings; medium difficulty by default.

    Returns:
        Frames (T, H, W, 3) uint8 BGR, and the tracks of the objects that
        are seen in them.
    """
    config = config or SceneConfig()
    scene = build_scene(np.random.default_rng([seed, index]), config)
    frames = np.stack(
        [render_frame(scene, time, *config.size) for time in range(config.num_frames)]
    )
    return frames, scene_tracks(scene, config)


def write_video(index: int, out_dir: Path, seed: int, config: SceneConfig) -> Record:
    """Write the frames of a video; give its entry and its annotations."""
    frames, tracks = generate_video(seed, index, config)
    folder = f'{index:05d}'
    names = [f'{folder}/{t:05d}.jpg' for t in range(len(frames))]
    (out_dir / 'JPEGImages' / folder).mkdir(parents=True, exist_ok=True)
    for name, frame in zip(names, frames):
        path = out_dir / 'JPEGImages' / name
        flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        if not cv2.imwrite(str(path), frame, flags):
            raise OSError(f'cannot write the frame {path}')
    video = dict(
        id=index + 1,
        height=config.size[0],
        width=config.size[1],
        length=len(names),
        file_names=names,
    )
    return video, [track_annotation(track) for track in tracks]


def _records(num_videos: int, workers: int, work: Callable[[int], Record]) -> Iterator[Record]:
    """Records in the order of the videos."""
    if workers <= 1:
        yield from map(work, range(num_videos))
        return
    # fresh processes: forked ones may inherit locks of other threads
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
        yield from pool.map(work, range(num_videos), chunksize=4)


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
        out_dir: folder, made if needed.
        num_videos: how many.
        seed: other seeds give other videos, as for validation.
        config: settings; medium difficulty by default.
        workers: processes; the result does not depend on it.
        progress: called with the number of finished videos after each.

    Returns:
        Path of the annotation file, which is written last.

    Raises:
        ValueError: if ``num_videos`` or ``seed`` is negative.
        OSError: if a file cannot be written.
    """
    if num_videos < 0 or seed < 0:
        raise ValueError(
            f'moving shapes: num_videos is {num_videos} and seed '
            f'is {seed}, choose numbers from 0 up'
        )
    config = config or SceneConfig()
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    videos: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    work = partial(write_video, out_dir=out_dir, seed=seed, config=config)
    for video, tracks in _records(num_videos, workers, work):
        videos.append(video)
        for track in tracks:
            track.update(id=len(annotations) + 1, video_id=video['id'])
            annotations.append(track)
        if progress is not None:
            progress(len(videos))
    names = [kind.name for kind in SHAPE_CLASSES[: config.num_classes]]
    content = dict(
        info=dict(description='moving shapes', seed=seed, **asdict(config)),
        licenses=[],
        videos=videos,
        categories=categories(names),
        annotations=annotations,
    )
    path = out_dir / 'instances.json'
    path.write_text(json.dumps(content))
    return path
