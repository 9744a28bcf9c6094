"""Small models and clips for tests and documentation."""

import mmcico.compat  # noqa: F401

from .clips import clip_sample
from .inference import small_model_cfg

__all__ = ['clip_sample', 'small_model_cfg']
