"""The prediction head and the mask head."""

from .cico_head import CiCoHead
from .clip_mask_head import ClipMaskHead

__all__ = ['CiCoHead', 'ClipMaskHead']
