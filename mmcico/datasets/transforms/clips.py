"""Sampling, resizing and packing of clips."""

import random
from typing import Any

from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import PackTrackInputs, Resize

from mmcico.registry import TRANSFORMS

METHODS = ('consecutive', 'neighbours')
META_KEYS = (
    'img_id',
    'img_path',
    'img_name',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'homography_matrix',
    'flip',
    'flip_direction',
    'frame_id',
    'video_id',
    'video_length',
    'ori_video_length',
)
OBJECT_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_masks', 'gt_instances_ids', 'gt_ignore_flags')


def consecutive_frames(key: int, length: int, num_frames: int) -> list[int]:
    """Return T consecutive frames with the key frame in the middle.

    They are moved inside the video at its ends; a video that is too short repeats its last frame.
    """
    start = min(max(key - num_frames // 2, 0), max(length - num_frames, 0))
    return [min(start + t, length - 1) for t in range(num_frames)]


def neighbour_frames(key: int, length: int, num_frames: int, reach: int | None = None) -> list[int]:
    """Return the key frame and T - 1 others within ``reach`` frames of it, T by default, in order.

    If there are too few others, some occur twice.
    """
    reach = num_frames if reach is None else reach
    near = range(max(key - reach, 0), min(key + reach + 1, length))
    others = [frame for frame in near if frame != key] or [key]
    if len(others) >= num_frames - 1:
        chosen = random.sample(others, num_frames - 1)
    else:
        chosen = random.choices(others, k=num_frames - 1)
    return sorted(chosen + [key])


@TRANSFORMS.register_module()
class ClipFrameSample(BaseTransform):
    """Transform that makes a clip of a query frame, or takes a window as it is.

    Required keys are ``frames``, ``num_frames`` and ``key_frame_id``; at test time also
    ``frame_ids``, ``num_final`` and ``num_written``. The result has a list with one entry per frame
    under each key of a frame, as ``TransformBroadcaster`` takes it. The key ``clip_info`` has the
    meta information of the whole clip, and ``key_frame_flags`` says which frame is the query frame
    (MMDetection's models need it in training).

    Args:
        method (str): ``'consecutive'`` (paper), or ``'neighbours'``: T - 1 random others within
            ``reach`` frames of the query frame (published models).
        reach (int, optional): Reach of ``'neighbours'``, T by default.
    """

    def __init__(self, method: str = 'consecutive', reach: int | None = None) -> None:
        if method not in METHODS:
            raise ValueError(f'method {method!r} is none of {METHODS}')
        self.method = method
        self.reach = reach

    def transform(self, results: dict) -> dict:
        """Collect the infos of T frames in lists."""
        frames, key = results['frames'], results['key_frame_id']
        clip = dict(video_id=results['video_id'])
        if 'frame_ids' in results:
            chosen = list(results['frame_ids'])
            clip.update(num_final=results['num_final'], num_written=results['num_written'])
        elif self.method == 'consecutive':
            chosen = consecutive_frames(key, len(frames), results['num_frames'])
        else:
            chosen = neighbour_frames(key, len(frames), results['num_frames'], self.reach)
        clip.update(frame_ids=tuple(chosen), key_index=chosen.index(key))
        infos = [frames[frame] for frame in chosen]
        packed = {name: [info[name] for info in infos] for name in infos[0]}
        packed['clip_info'] = [clip] * len(infos)
        packed['key_frame_flags'] = [t == clip['key_index'] for t in range(len(infos))]
        return packed

    def __repr__(self) -> str:
        return f'{type(self).__name__}(method={self.method!r}, reach={self.reach})'


def check_sizes(results: dict) -> str:
    """Check that the frames of a clip have one size, and return where the clip is.

    Raises:
        ValueError: If they differ.
    """
    clip = results['clip_info'][0]
    where = f'{results["source"][0]}: video {clip["video_id"]!r}, frames {clip["frame_ids"]}'
    sizes = {image.shape for image in results['img']}
    if len(sizes) > 1:
        raise ValueError(f'{where} differ in size: {sorted(sizes)}')
    return where


@TRANSFORMS.register_module()
class PackClipInputs(PackTrackInputs):
    """Transform that packs a clip for the model.

    It packs as MMDetection's ``PackTrackInputs``. In addition, the ``TrackDataSample`` gets
    ``video_id``, ``frame_ids``, ``key_index`` and, at test time, ``num_final`` and ``num_written``
    as meta information. The frames' raw annotations are not packed.

    Args:
        **kwargs: As of ``PackTrackInputs``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{'default_meta_keys': META_KEYS, **kwargs})

    def transform(self, results: dict) -> dict:
        """Make ``inputs`` (T, 3, H, W) and ``data_samples``.

        Raises:
            ValueError: If frames differ in size, or a transform has left out boxes without their
                ids.
        """
        where = check_sizes(results)
        clip = results.pop('clip_info')[0]
        keys = [key for key in OBJECT_KEYS if key in results]
        for t, frame in enumerate(clip['frame_ids']):
            counts = {key: len(results[key][t]) for key in keys}
            if len(set(counts.values())) > 1:
                raise ValueError(
                    f'{where}: a transform changed the number of objects of frame {frame} in some '
                    f'fields only: {counts}; leave out transforms that are not made for video'
                )
        packed = super().transform(results)
        packed['data_samples'].set_metainfo(clip)
        return packed

    def __repr__(self) -> str:
        # MMDetection's own asks for an attribute that the class does not have
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'


def landscape_size(height: int, width: int, box: tuple[int, int]) -> tuple[int, int]:
    """Compute width and height of a frame that fits into a wide box, truncated to whole pixels.

    The box is width and height, too. Frames that are wider than it get its width, others its
    height. The factor is computed first, in double precision, as in the published models: a frame
    of 376 x 376 becomes 383 wide in a box 384 high.
    """
    if height / width < box[1] / box[0]:
        return box[0], max(int(height * (box[0] / width)), 1)
    return max(int(width * (box[1] / height)), 1), box[1]


@TRANSFORMS.register_module()
class LandscapeResize(Resize):
    """Transform that fits frames into a wide box, as the published models do.

    MMDetection's ``Resize`` with ``keep_ratio`` rounds to the nearest pixel and turns the box for
    upright frames. This transform does neither, so that every input has the same height or width.

    Args:
        scale (tuple[int, int]): Width and height of the box.
        **kwargs: As of ``Resize``, without ``keep_ratio``.
    """

    def __init__(self, scale: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(scale=scale, keep_ratio=False, **kwargs)

    def _resize_img(self, results: dict) -> None:
        """Resize the image to the size that fits."""
        height, width = results['img'].shape[:2]
        results['scale'] = landscape_size(height, width, self.scale)
        super()._resize_img(results)
