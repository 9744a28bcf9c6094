"""The network where there are candidates."""

from torch import Tensor

from mmcico.structures.clip_outputs import ClipOutputs

from ..heads import CiCoHead, ClipMaskHead
from .frame_features import FrameFeatures


def lazy_outputs(
    bbox_head: CiCoHead, mask_head: ClipMaskHead, features: FrameFeatures, score_thr: float
) -> tuple[ClipOutputs, Tensor]:
    """Class scores first; all else only near rows that pass.

    Args:
        bbox_head (CiCoHead): Prediction heads.
        mask_head (ClipMaskHead): Mask head.
        features (FrameFeatures): Of the B * T frames of B clips.
        score_thr (float): Rows whose best class is not above are of no use.

    Returns:
        tuple[ClipOutputs, Tensor]: Rows, equal to the whole network's
        where the class passes, and prototypes (B, k, T, h, w), zeros if no
        row does.
    """
    scores = bbox_head.class_rows(features.levels, features.scores)
    best = bbox_head.class_scores(scores).amax(dim=-1)
    chosen = best > score_thr
    windows = bbox_head.windows(chosen, features.levels)
    outputs = bbox_head.forward_clips(features.levels, scores, windows)
    num_frames = bbox_head.num_frames
    if not chosen.any():
        return outputs, mask_head.no_protos(features.fused, num_frames)
    return outputs, mask_head.forward_clips(features.fused, num_frames)
