"""Data samples of a test, read as numbers and encoded masks."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from mmcico.formats.masks import read_mask
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import Size, encode_masks

from .video_results import VideoResults

VOTE_FIELDS = ('instances_id', 'scores', 'labels')


def read_clip(
    sample: dict[str, Any], video_of: Callable[[Any, int], VideoResults]
) -> Iterator[Any]:
    """Add the frames and votes of a clip to the results of their videos.

    ``sample`` is a result of ``TrackDataSample.to_dict()``. Without ``clip_instances``, the better
    one of two predictions with the same id in a frame counts. ``video_of`` returns the results of a
    video by its id and length.

    Yields:
        int | str: Id of each video in the clip, after all of its frames.

    Raises:
        ValueError: If a field is missing or of the wrong size.
    """
    votes = sample.get('clip_instances')
    parts = None if votes is None else _parts(votes)
    videos: dict[Any, VideoResults] = {}
    for frame in map(_as_dict, sample.get('video_data_samples', [])):
        video_id = _plain(_need(frame, 'video_id', 'a frame'))
        # MMDetection's samplers write the length of a sample to video_length
        length = frame.get('ori_video_length') or _need(frame, 'video_length', f'video {video_id}')
        videos[video_id] = video_of(video_id, int(length))
        _read_frame(frame, videos[video_id], vote=parts is None)
    if parts is not None:
        for video in videos.values():
            video.lowest_of_ties = any(part.get('class_ties') == 'lowest' for part in parts)
            ids, scores, labels = _votes(parts, f'video {video.video_id}')
            video.add_votes(ids, scores, labels, _tentative(parts))
    yield from videos


def _parts(instances: Any) -> list[dict[str, Any]]:
    """Return the containers of instances; ``TrackDataSample.cpu()`` makes one of each row."""
    rows = instances if isinstance(instances, (list, tuple)) else [instances]
    return [*map(_as_dict, rows)]


def _read_frame(frame: dict[str, Any], video: VideoResults, vote: bool) -> None:
    where = f'video {video.video_id}'
    frame_id = int(_need(frame, 'frame_id', where))
    where += f': frame {frame_id}'
    height, width = _need(frame, 'ori_shape', where)[:2]
    size = int(height), int(width)
    tracks = _as_dict(_need(frame, 'pred_track_instances', where))
    ids, masks = _read_tracks(tracks, size, where)
    if not vote:
        more = frame.get('tentative_track_instances')
        found = ([], []) if more is None else _read_tracks(_as_dict(more), size, where)
        video.add_frame(frame_id, size, ids + found[0], masks + found[1])
        return
    votes = _votes([tracks], where)
    # trackers of MMDetection may give two predictions of a frame the same id
    kept = _best_of_each(ids, votes[1])
    video.num_repeated += len(ids) - len(kept)
    video.add_frame(frame_id, size, [ids[i] for i in kept], [masks[i] for i in kept])
    video.add_votes(*([values[i] for i in kept] for values in votes))


def _read_tracks(
    tracks: dict[str, Any], size: Size, where: str
) -> tuple[list[Any], list[bytes | None]]:
    """Return the ids and encoded masks of instances of a frame."""
    ids = _numbers(_need(tracks, 'instances_id', where))
    masks = _encode(_need(tracks, 'masks', where), size, where)
    if len(masks) != len(ids):
        raise ValueError(f'{where}: {len(masks)} masks for {len(ids)} instances_id')
    return ids, masks


def _best_of_each(ids: list[Any], scores: list[float]) -> list[int]:
    """Return the index of the best score of each id, in order; of equal scores, the first."""
    best: dict[Any, int] = {}
    for index, (track, score) in enumerate(zip(ids, scores)):
        if track not in best or score > scores[best[track]]:
            best[track] = index
    return sorted(best.values())


def _encode(masks: Any, size: Size, where: str) -> list[bytes | None]:
    """Encode the masks of one frame, given as a tensor, an array or run-length encoded."""
    if isinstance(masks, (list, tuple)):
        return [
            read_mask(mask, size, Place(where, field='masks'), Problems(where)) for mask in masks
        ]
    if isinstance(masks, torch.Tensor):
        masks = masks.detach().cpu().numpy()
    if len(masks) == 0:
        return []
    if masks.shape[1:] != size:
        raise ValueError(
            f'{where}: field masks has shape {masks.shape} instead of (N, '
            f'{size[0]}, {size[1]}), the original size of the frame'
        )
    return encode_masks(masks.astype(bool, copy=False))


def _votes(parts: list[dict[str, Any]], where: str) -> list[list[Any]]:
    """Return ids, scores and labels of all containers, one after the other."""
    votes = [
        [each for part in parts for each in _numbers(_need(part, name, where))]
        for name in VOTE_FIELDS
    ]
    if len({len(vote) for vote in votes}) != 1:
        raise ValueError(
            f'{where}: fields {", ".join(VOTE_FIELDS)} have {[len(vote) for vote in votes]} rows'
        )
    return votes


def _tentative(parts: list[dict[str, Any]]) -> list[bool]:
    """Return which tracks of all containers are not confirmed; models need not say it."""
    return [
        each
        for part in parts
        for each in _numbers(part.get('tentative', [False] * len(part['instances_id'])))
    ]


def _need(fields: dict[str, Any], name: str, where: str) -> Any:
    if fields.get(name) is None:
        raise ValueError(
            f'{where} has no field {name}; add it to meta_keys of the packing transform, or to '
            'the prediction'
        )
    return fields[name]


def _as_dict(element: Any) -> dict[str, Any]:
    return element if isinstance(element, dict) else element.to_dict()


def _numbers(values: Any) -> list[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
    return np.asarray(values).tolist()


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, 'item') else value
