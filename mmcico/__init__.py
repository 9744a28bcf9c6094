"""Clip-in clip-out video instance segmentation for MMDetection."""

from .version import __version__

__all__ = ['__version__']
