"""Clip-in clip-out video instance segmentation for MMDetection."""

from .compat import install
from .version import __version__

install()

__all__ = ['__version__']
