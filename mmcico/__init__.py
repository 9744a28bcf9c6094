"""Clip-in clip-out video instance segmentation for MMDetection."""
from .compat import install_mmcv_ext
from .version import __version__

install_mmcv_ext()

__all__ = ['__version__']
