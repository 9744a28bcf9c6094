"""Loading of frames and their objects, with errors that name them."""
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmdet.structures.mask import BitmapMasks

from mmcico.registry import TRANSFORMS
from ..frame_infos import decode_masks


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
        where = (f"{results['source']}: video {results['video_id']!r}, frame "
                 f"{results['frame_id']}: image {results['img_path']}")
        try:
            results = super().transform(results)
        except FileNotFoundError as error:
            raise ValueError(f"{where} does not exist; check data_root and "
                             "data_prefix['img']") from error
        except Exception as error:
            raise ValueError(f'{where} cannot be read: {error}') from error
        stated = (results['height'], results['width'])
        if results['img_shape'] != stated:
            raise ValueError(
                f"{where} is {results['img_shape']} (height, width), "
                f'the annotation file says {stated}')
        return results


@TRANSFORMS.register_module()
class LoadClipAnnotations(BaseTransform):
    """Loads the objects of one frame: boxes, labels, ids and masks.

    Polygons and any RLE have become compressed RLE before; MMDetection's
    ``LoadTrackAnnotations`` would drop objects that it cannot read.
    """

    def transform(self, results: dict) -> dict:
        """Add ``gt_bboxes`` and the like."""
        objects = results['instances']
        boxes = np.array([each['bbox'] for each in objects], np.float32)
        results['gt_bboxes'] = boxes.reshape(-1, 4)
        for key, name, kind in (('gt_bboxes_labels', 'bbox_label', np.int64),
                                ('gt_instances_ids', 'instance_id', np.int64),
                                ('gt_ignore_flags', 'ignore_flag', bool)):
            results[key] = np.array([each[name] for each in objects], kind)
        height, width = results['ori_shape']
        results['gt_masks'] = BitmapMasks(
            decode_masks(objects, height, width), height, width)
        return results
