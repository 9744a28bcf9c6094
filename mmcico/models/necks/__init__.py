"""Necks."""

from .yolact_fpn import YolactFPN

__all__ = ['YolactFPN']
