"""What mmcico does so that stock and forked OpenMMLab packages run it."""
from .mmcv_ext import install_mmcv_ext

__all__ = ['install_mmcv_ext']
