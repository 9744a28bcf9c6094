"""Predictions in a pickle file, as ``tools/test.py --out`` writes it."""

from collections.abc import Sequence
from typing import Any

import mmcico.compat  # noqa: F401

from mmdet.structures.mask import encode_mask_results
from mmengine.evaluator import DumpResults
from mmengine.structures import BaseDataElement


def encode_frame(frame: Any) -> dict[str, Any]:
    """One frame as plain values.

    Args:
        frame (DetDataSample | dict): its ``pred_track_instances`` hold masks
            (N, H, W).

    Returns:
        dict: metainfo and predictions, masks run-length encoded.
    """
    meta: dict[str, Any] = {}
    if isinstance(frame, BaseDataElement):
        meta, frame = frame.metainfo, frame.to_dict()
    tracks = dict(frame.get('pred_track_instances', {}))
    if 'masks' in tracks:
        tracks['masks'] = encode_mask_results(tracks['masks'].cpu().numpy())
    return dict(meta, pred_track_instances=tracks)


class DumpTrackResults(DumpResults):
    """Keeps what a model says of each clip, masks run-length encoded.

    The pickle file holds a list of clips, a clip ``frames`` and, if the model
    gives them, ``clip_instances``.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Encode the clips of one batch.

        Args:
            data_batch (Any): not used.
            data_samples (Sequence[dict]): TrackDataSamples as dictionaries.
        """
        clips = [
            dict(
                frames=[encode_frame(frame) for frame in sample['video_data_samples']],
                clip_instances=sample.get('clip_instances'),
            )
            if 'video_data_samples' in sample
            else sample
            for sample in data_samples
        ]
        super().process(data_batch, clips)
