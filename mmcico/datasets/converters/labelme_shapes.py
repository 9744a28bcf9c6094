"""Shapes of labelme and X-AnyLabeling: read as masks, and written as files."""

import base64
import binascii
import io
import json
import math
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.masks import draw_shape
from mmcico.formats.problems import Place, Problems, short
from mmcico.formats.rle import Size, decode_masks, encode_masks, mask_info
from mmcico.utils.files import write_whole
from mmcico.utils.image_reading import decoded_image

from .mask_writer import frame_stems, named_videos

CIRCLE_CORNERS = 72
#: smallest and largest number of points of the shapes that have an area
POINTS: dict[str, tuple[int, int | None]] = dict(
    polygon=(0, None),
    rectangle=(2, 4),
    oriented_rectangle=(4, 4),
    rotation=(4, 4),
    quadrilateral=(4, 4),
    circle=(2, 2),
    mask=(2, 2),
)

Point = tuple[float, float]


def shape_type(shape: dict) -> str:
    """Return the kind of a shape; a polygon if the file does not say."""
    return str(shape.get('shape_type') or 'polygon')


def shape_counts(shape: dict, size: Size, place: Place, problems: Problems) -> bytes | None:
    """Return the mask of a shape of a type in ``POINTS``, None if it has no pixel.

    Polygons of fewer than three corners, or without a pixel, are left out and counted.

    Raises:
        ValueError: If points or mask are broken.
    """
    kind = shape_type(shape)
    points = _read_points(shape.get('points'), kind, place)
    if kind == 'mask':
        return _pasted(shape.get('mask'), points[0], size, place.at(field='mask'))
    if kind == 'rectangle' and len(points) == 2:
        (x0, y0), (x1, y1) = points
        points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    elif kind == 'circle':
        points = _circle(*points)
    corners = [value for point in points for value in point]
    return draw_shape(corners, size, place.at(field='points'), problems)


def _read_points(points: Any, kind: str, place: Place) -> list[Point]:
    """Return pairs of finite numbers, as many as the type needs."""
    usable = isinstance(points, list) and all(
        isinstance(p, (list, tuple))
        and len(p) == 2
        and all(isinstance(v, (int, float)) and math.isfinite(v) for v in p)
        for p in points
    )
    low, high = POINTS[kind]
    if not usable or len(points) < low or (high and len(points) > high):
        where = place.at(field='points')
        raise ValueError(f'{where} {short(points)} is no {kind}, which has {low} points or more')
    return [(float(x), float(y)) for x, y in points]


def _circle(centre: Point, rim: Point) -> list[Point]:
    """Return a polygon with the area of the circle through ``rim``."""
    step = 2 * math.pi / CIRCLE_CORNERS
    radius = math.dist(centre, rim) * math.sqrt(step / math.sin(step))
    return [
        (centre[0] + radius * math.cos(i * step), centre[1] + radius * math.sin(i * step))
        for i in range(CIRCLE_CORNERS)
    ]


def _pasted(text: Any, corner: Point, size: Size, place: Place) -> bytes | None:
    """Return the mask of a base64 PNG whose upper left pixel is at a corner."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f'{place} is no PNG in base64: {error}') from error
    x, y = round(corner[0]), round(corner[1])
    patch = np.array(decoded_image(data, f'{place}: the PNG'))
    height, width = patch.shape[:2]
    if x < 0 or y < 0 or y + height > size[0] or x + width > size[1]:
        raise ValueError(
            f'{place}: the PNG of {height} x {width} (height x width) at x, y = {(x, y)} does not '
            f'fit into the image of {size[0]} x {size[1]}'
        )
    if patch.ndim != 2:
        raise ValueError(f'{place}: the PNG has colours; a picture in grey is needed')
    mask = np.zeros(size, np.uint8)
    mask[y : y + height, x : x + width] = patch > 0
    return encode_masks(mask[None])[0]


def write_labelme(file: AnnotationFile, out: Path, problems: Problems) -> None:
    """Write a JSON for each frame, with a shape of type ``mask`` for each object.

    Every pixel is kept. labelme shows the files if they lie beside the frames.

    Raises:
        ValueError: If two frames of a video have one name, or one has a file of other content.
    """
    names = {str(key): name for key, name in file.categories}
    frames = [
        (out / folder / f'{stem}.json', video, frame)
        for folder, video in named_videos(file, problems)
        for frame, stem in enumerate(frame_stems(video))
    ]
    for path, video, frame in frames:
        if path.exists() and path.read_bytes() != _text(video, frame, names).encode():
            raise ValueError(
                f'{path} exists with other shapes, perhaps drawn by hand; choose another --out, or '
                'move it away'
            )
    for path, video, frame in frames:
        write_whole(path, _text(video, frame, names))


def _text(video: AnnotatedVideo, frame: int, names: dict[str, str]) -> str:
    """Return the content of the file of a frame."""
    record: dict[str, Any] = dict(
        version='5.5.0',
        flags={},
        shapes=_shapes(video, frame, names),
        imagePath=PurePosixPath(video.file_names[frame]).name,
        imageData=None,
        imageHeight=video.height,
        imageWidth=video.width,
    )
    return json.dumps(record, indent=1) + '\n'


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
