"""Tracks of a generated video in the layout of YouTube-VIS and OVIS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

# hidden shares up to which OVIS' words are used
NO_OCCLUSION_UP_TO = 0.02
SLIGHT_OCCLUSION_UP_TO = 0.5


@dataclass(frozen=True)
class Track:
    """One object over a video of T frames.

    Attributes:
        label: class index.
        masks: (T, H, W) bool, the visible part; empty where absent.
        hidden: (T,) float64, share of the part inside the frame that other
            things cover; NaN where the object is absent.
    """

    label: int
    masks: np.ndarray
    hidden: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """(T,) bool."""
        return ~np.isnan(self.hidden)


def make_track(label: int, full: np.ndarray, visible: np.ndarray, min_visible: int) -> Track | None:
    """A track from full and visible masks, each (T, H, W) bool.

    Returns:
        None if the object is never seen with ``min_visible`` pixels.
    """
    seen = visible.sum(axis=(1, 2))
    whole = full.sum(axis=(1, 2))
    present = seen >= min_visible
    if not present.any():
        return None
    hidden = 1 - seen / np.maximum(whole, 1)
    return Track(label, visible & present[:, None, None], np.where(present, hidden, np.nan))


def occlusion_word(hidden: float) -> str | None:
    """OVIS' word for a hidden share; None for NaN, an absent object."""
    if np.isnan(hidden):
        return None
    if hidden <= NO_OCCLUSION_UP_TO:
        return 'no_occlusion'
    if hidden <= SLIGHT_OCCLUSION_UP_TO:
        return 'slight_occlusion'
    return 'severe_occlusion'


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """(H, W) bool -> compressed RLE that JSON can hold."""
    rle = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(mask.shape), counts=rle['counts'].decode('ascii'))


def mask_box(mask: np.ndarray) -> list[int]:
    """Tight [x, y, width, height] of a mask that is not empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    cols = np.flatnonzero(mask.any(axis=0))
    return [int(cols[0]), int(rows[0]), int(cols[-1] - cols[0] + 1), int(rows[-1] - rows[0] + 1)]


def track_annotation(track: Track) -> dict[str, Any]:
    """The annotation of a track, without its ``id`` and ``video_id``."""
    length, height, width = track.masks.shape
    per_frame = list(zip(track.masks, track.present.tolist()))
    return dict(
        category_id=track.label + 1,
        iscrowd=0,
        height=height,
        width=width,
        length=length,
        segmentations=[encode_mask(m) if p else None for m, p in per_frame],
        bboxes=[mask_box(m) if p else None for m, p in per_frame],
        areas=[int(m.sum()) if p else None for m, p in per_frame],
        occlusion=[occlusion_word(h) for h in track.hidden.tolist()],
    )


def categories(names: Sequence[str]) -> list[dict[str, Any]]:
    """Categories with ids from 1."""
    return [dict(id=i + 1, name=name, supercategory='shape') for i, name in enumerate(names)]
