"""Hooks and an optimiser wrapper for training and testing."""

import mmcico.compat  # noqa: F401

from .checkpoint_hook import WholeCheckpointHook
from .finite_hook import FiniteTrainingHook
from .output_hooks import ClipVisualizationHook, MasterLoggerHook
from .precision import BFloat16OptimWrapper, ChannelsLastHook, FrozenNormHook, PrecisionHook
from .reproducible_hook import ReproducibleHook
from .start_checks import ClassCheckHook, ScheduleCheckHook, WeightsFitHook

__all__ = [
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'ClassCheckHook',
    'ClipVisualizationHook',
    'FiniteTrainingHook',
    'FrozenNormHook',
    'MasterLoggerHook',
    'PrecisionHook',
    'ReproducibleHook',
    'ScheduleCheckHook',
    'WeightsFitHook',
    'WholeCheckpointHook',
]
