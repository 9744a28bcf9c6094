"""Loading of frames and their objects, with errors that name the frame."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmdet.structures.mask import BitmapMasks
from mmengine import fileio
from PIL import Image

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.fields import Id
from mmcico.formats.rle import decode_masks
from mmcico.registry import TRANSFORMS
from mmcico.utils.files import leads_outside
from mmcico.utils.image_reading import check_pixels

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'


@dataclass(eq=False, repr=False)
class LazyFrames(Sequence):
    """Sequence of a video's frames; the dict of a frame is made when it is indexed.

    Objects of a frame have ``bbox`` (xyxy, the file's, or the mask's if the file has none),
    ``bbox_label``, ``mask`` (compressed RLE), ``instance_id`` and ``ignore_flag``. The id is the
    number of the track in its video: it is whole and distinct, whatever ids a file has.

    Args:
        video (AnnotatedVideo): The video.
        folder (str): Image folder, absolute or relative to the working directory.
        labels (dict): Category id -> label of the classes in use.
        allow_outside (bool): Do not check that images are in the folder.
    """

    video: AnnotatedVideo
    folder: str
    labels: dict[Id, int]
    allow_outside: bool = False

    def __len__(self) -> int:
        return len(self.video.file_names)

    def __getitem__(self, frame: Any) -> Any:
        """Return the dict of one frame."""
        video, length = self.video, len(self)
        frame = range(length)[frame]
        objects = [
            dict(
                bbox=list(track.box(frame, video.size)),
                bbox_label=self.labels[track.category_id],
                mask=dict(size=[*video.size], counts=track.counts[frame]),
                instance_id=number,
                ignore_flag=int(track.iscrowd),
            )
            for number, track in enumerate(video.tracks)
            if track.seen(frame) and track.category_id in self.labels
        ]
        return dict(
            img_path=os.path.join(self.folder, video.file_names[frame]),
            img_id=f'{video.id}/{frame}',
            video_id=video.id,
            video_length=length,
            ori_video_length=length,  # MMDetection has the length of a part in video_length
            frame_id=frame,
            source=video.source,
            img_folder=None if self.allow_outside else self.folder,
            img_name=video.file_names[frame],
            height=video.height,
            width=video.width,
            instances=objects,
        )


class UnreadableImageError(ValueError):
    """Error of an image that is missing or broken.

    Args:
        message (str): What is wrong.
        path (str): Path of the image.
    """

    def __init__(self, message: str, path: str = '') -> None:
        # workers of a loader forward the message alone
        super().__init__(message)
        self.path = path


def frame_name(results: dict) -> str:
    """Return file, video, frame and image of a frame, for messages."""
    return (
        f'{results["source"]}: video {results["video_id"]!r}, frame '
        f'{results["frame_id"]}: image {results["img_path"]}'
    )


def _has_sound_header(data: bytes, name: str) -> bool:
    """Return whether the content of a file begins as an image.

    Raises:
        ValueError: If the image would need gigabytes.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise ValueError(f'{name} is too large: {error}') from error
    except (OSError, ValueError, SyntaxError):
        return False
    check_pixels(width, height, name)
    return True


@TRANSFORMS.register_module()
class LoadClipFrame(LoadImageFromFile):
    """Transform that loads one frame.

    Args:
        **kwargs: As of MMCV's ``LoadImageFromFile``.
    """

    def transform(self, results: dict) -> dict:
        """Add ``img``, ``img_shape`` and ``ori_shape``.

        Raises:
            ValueError: If the file is missing or broken, or its size is not the one in the
                annotation file.
        """
        image = self._read(results)
        size = image.shape[:2]
        stated = (results['height'], results['width'])
        if size != stated:
            raise ValueError(
                f'{frame_name(results)} is {size} (height, width), the annotation file says '
                f'{stated}'
            )
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = size
        return results

    def _read(self, results: dict) -> np.ndarray:
        """Return the (H, W, 3) pixels of a frame.

        Raises:
            UnreadableImageError: If the file is missing or is no image.
            ValueError: If the file is outside the image folder.
        """
        self._check_place(results)
        path, name = results['img_path'], frame_name(results)
        try:
            data = fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError as error:
            text = f"{name} does not exist; check data_root and data_prefix['img']"
            raise UnreadableImageError(text, path) from error
        except OSError as error:
            raise UnreadableImageError(f'{name} cannot be read: {error}', path) from error
        image = None
        # OpenCV fills the rest of a JPEG without an end with grey
        is_cut_off = data.startswith(JPEG_START) and JPEG_END not in data
        if data and not is_cut_off and _has_sound_header(data, name):
            image = mmcv.imfrombytes(data, flag=self.color_type, backend=self.imdecode_backend)
        if image is None:
            text = f'{name} is broken ({len(data)} bytes); get the file again'
            raise UnreadableImageError(text, path)
        return image

    def _check_place(self, results: dict) -> None:
        """Check that an image is a regular file in the image folder."""
        folder, name, path = results.get('img_folder'), results['img_name'], results['img_path']
        if folder is None:
            return
        if leads_outside(folder, name):
            message = f'lies outside of the image folder {folder!r} (by its name or a link)'
        elif os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            message = f'is no regular file of the image folder {folder!r}'
        else:
            return
        raise ValueError(
            f'{frame_name(results)} {message}; set allow_outside=True of the data set if it may be '
            'read'
        )


@TRANSFORMS.register_module()
class LoadClipArray(LoadClipFrame):
    """Transform that takes a frame from memory, ``img`` (H, W, 3) BGR."""

    def _read(self, results: dict) -> np.ndarray:
        """Return the frame as it is."""
        return results['img']


@TRANSFORMS.register_module()
class LoadClipAnnotations(BaseTransform):
    """Transform that loads the objects of one frame: boxes, labels, ids and masks.

    Readers have converted polygons and RLE of any form to compressed RLE; MMDetection's
    ``LoadTrackAnnotations`` would drop objects that it cannot read.
    """

    def transform(self, results: dict) -> dict:
        """Add ``gt_bboxes``, labels, ids, ignore flags and masks."""
        objects = results['instances']
        boxes = np.array([each['bbox'] for each in objects], np.float32)
        results['gt_bboxes'] = boxes.reshape(-1, 4)
        for key, name, kind in (
            ('gt_bboxes_labels', 'bbox_label', np.int64),
            ('gt_instances_ids', 'instance_id', np.int64),
            ('gt_ignore_flags', 'ignore_flag', bool),
        ):
            results[key] = np.array([each[name] for each in objects], kind)
        height, width = results['height'], results['width']
        masks = decode_masks([each['mask']['counts'] for each in objects], height, width)
        results['gt_masks'] = BitmapMasks(masks, height, width)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
