"""Whole models of video instance segmentation."""

from .cico import CiCo

__all__ = ['CiCo']
