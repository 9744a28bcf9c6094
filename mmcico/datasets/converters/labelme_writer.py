"""Annotated videos as files of labelme."""

import base64
import io
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.problems import Problems
from mmcico.formats.rle import decode_masks, mask_info
from mmcico.formats.write import write_json

from .mask_writer import named_videos


def write_labelme(file: AnnotationFile, out: Path, problems: Problems) -> None:
    """Write a JSON for each frame, with a shape of type ``mask`` for each object.

    Every pixel is kept. labelme shows the files if they lie beside the frames.

    Args:
        file (AnnotationFile): The videos.
        out (Path): Folder of the videos' folders.
        problems (Problems): Gets a warning of crowds.
    """
    names = {str(key): name for key, name in file.categories}
    for folder, video in named_videos(file):
        for frame, name in enumerate(video.file_names):
            path = PurePosixPath(name)
            record: dict[str, Any] = dict(
                version='5.5.0',
                flags={},
                shapes=_shapes(video, frame, names),
                imagePath=path.name,
                imageData=None,
                imageHeight=video.height,
                imageWidth=video.width,
            )
            write_json(out / folder / f'{path.stem}.json', record, indent=1)
    if file.num_crowds:
        problems.warn('crowd', f'{file.num_crowds} crowds became objects; labelme has no crowds')


def _shapes(video: AnnotatedVideo, frame: int, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the shapes of a frame; ``group_id`` is the number of the object in the video."""
    shapes = []
    for number, track in enumerate(video.tracks, start=1):
        counts = track.counts[frame]
        if counts is None:
            continue
        x1, y1, x2, y2 = (int(side) for side in mask_info(counts, video.size).box)
        patch = decode_masks([counts], *video.size)[0, y1:y2, x1:x2]
        stream = io.BytesIO()
        Image.fromarray(patch.astype(np.uint8) * 255).save(stream, 'png')
        shapes.append(
            dict(
                label=names[str(track.category_id)],
                points=[[x1, y1], [x2 - 1, y2 - 1]],
                group_id=number,
                shape_type='mask',
                flags={},
                mask=base64.b64encode(stream.getvalue()).decode('ascii'),
            )
        )
    return shapes
