"""Packing of clips."""

from typing import Any

from mmdet.datasets.transforms import PackTrackInputs

from mmcico.registry import TRANSFORMS

META_KEYS = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'frame_id',
    'video_id',
    'video_length',
    'ori_video_length',
)
OBJECT_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_masks', 'gt_instances_ids', 'gt_ignore_flags')


@TRANSFORMS.register_module()
class PackClipInputs(PackTrackInputs):
    """Packs a clip for the model.

    As MMDetection's ``PackTrackInputs``; in addition, the
    ``TrackDataSample`` gets ``video_id``, ``frame_ids``, ``key_index`` and,
    at test time, ``num_final`` and ``num_written`` as meta information. The
    frames' raw annotations stay behind.

    Args:
        **kwargs: As of ``PackTrackInputs``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{'default_meta_keys': META_KEYS, **kwargs})

    def transform(self, results: dict) -> dict:
        """Make ``inputs`` (T, 3, H, W) and ``data_samples``.

        Raises:
            ValueError: If frames differ in size, or a transform has left out
                boxes without their ids.
        """
        clip = results.pop('clip_info')[0]
        where = f'{results["source"][0]}: video {clip["video_id"]!r}, frames {clip["frame_ids"]}'
        sizes = {image.shape for image in results['img']}
        if len(sizes) > 1:
            raise ValueError(f'{where} differ in size: {sorted(sizes)}')
        keys = [key for key in OBJECT_KEYS if key in results]
        for t, frame in enumerate(clip['frame_ids']):
            counts = {key: len(results[key][t]) for key in keys}
            if len(set(counts.values())) > 1:
                raise ValueError(
                    f'{where}: a transform changed the number of objects of '
                    f'frame {frame} in some fields only: {counts}; leave out '
                    'transforms that are not made for video'
                )
        packed = super().transform(results)
        packed['data_samples'].set_metainfo(clip)
        return packed
