"""Choice of the frames of a clip."""

import random

from mmcv.transforms import BaseTransform

from mmcico.registry import TRANSFORMS

METHODS = ('consecutive', 'neighbours')


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
