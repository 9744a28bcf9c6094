"""Hooks for training and testing."""

from .class_check_hook import ClassCheckHook
from .clip_visualization_hook import ClipVisualizationHook

__all__ = ['ClassCheckHook', 'ClipVisualizationHook']
