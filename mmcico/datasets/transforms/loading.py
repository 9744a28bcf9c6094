"""Loading of frames and their objects, with errors that name them."""

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmdet.structures.mask import BitmapMasks
from mmengine import fileio

from mmcico.registry import TRANSFORMS

from ..masks import decode_masks

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'


def frame_name(results: dict) -> str:
    """File, video, frame and image of a frame, for messages."""
    return (
        f'{results["source"]}: video {results["video_id"]!r}, frame '
        f'{results["frame_id"]}: image {results["img_path"]}'
    )


def is_cut_off(data: bytes) -> bool:
    """Whether a JPEG has no end; OpenCV fills the rest with grey."""
    return data.startswith(JPEG_START) and JPEG_END not in data


@TRANSFORMS.register_module()
class LoadClipFrame(LoadImageFromFile):
    """Loads one frame.

    Args:
        **kwargs: As of MMCV's ``LoadImageFromFile``.
    """

    def transform(self, results: dict) -> dict:
        """Add ``img``, ``img_shape`` and ``ori_shape``.

        Raises:
            ValueError: If the file is missing or broken, or has not the
                size that the annotation file says.
        """
        image = self._read(results)
        size = image.shape[:2]
        stated = (results['height'], results['width'])
        if size != stated:
            raise ValueError(
                f'{frame_name(results)} is {size} (height, '
                f'width), the annotation file says {stated}'
            )
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = size
        return results

    def _read(self, results: dict) -> np.ndarray:
        """(H, W, 3) pixels of a frame.

        Raises:
            ValueError: If there is no such file, or no image in it.
        """
        try:
            data = fileio.get(results['img_path'], backend_args=self.backend_args)
        except FileNotFoundError as error:
            raise ValueError(
                f"{frame_name(results)} does not exist; check data_root and data_prefix['img']"
            ) from error
        except OSError as error:
            raise ValueError(f'{frame_name(results)} cannot be read: {error}') from error
        image = None
        if data and not is_cut_off(data):
            image = mmcv.imfrombytes(data, flag=self.color_type, backend=self.imdecode_backend)
        if image is None:
            raise ValueError(
                f'{frame_name(results)} is broken ({len(data)} bytes); get the file again'
            )
        return image


@TRANSFORMS.register_module()
class LoadClipArray(LoadClipFrame):
    """Takes a frame that is in memory, under ``img``, (H, W, 3) BGR."""

    def _read(self, results: dict) -> np.ndarray:
        """The frame as it is."""
        return results['img']


@TRANSFORMS.register_module()
class LoadClipAnnotations(BaseTransform):
    """Loads the objects of one frame: boxes, labels, ids and masks.

    Polygons and any RLE have become compressed RLE before; MMDetection's
    ``LoadTrackAnnotations`` would drop objects that it cannot read.
    """

    def transform(self, results: dict) -> dict:
        """Add ``gt_bboxes``, labels, ids, ignore flags and masks.

        Raises:
            ValueError: If the runs of a mask do not fit the frame.
        """
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
        try:
            masks = decode_masks([each['mask']['counts'] for each in objects], height, width)
        except ValueError as error:
            raise ValueError(
                f"{frame_name(results)}: field 'segmentations' has a mask that is broken: {error}"
            ) from error
        results['gt_masks'] = BitmapMasks(masks, height, width)
        return results
