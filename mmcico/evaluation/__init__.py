"""Metrics; reading and measuring files needs none of the OpenMMLab packages.

``VISMetric`` is imported when it is first used, because it alone needs them.
"""

from typing import Any

from mmcico.formats.read import load_json

from .figures import format_table
from .ground_truth import is_long, long_video_ids, read_ground_truth, read_results
from .results_file import merge_parts, save_metrics
from .ytvis_eval import (
    add_metric_arguments,
    check_metric_arguments,
    evaluate,
    measure_files,
    read_annotated,
)

__all__ = [
    'VISMetric',
    'add_metric_arguments',
    'check_metric_arguments',
    'evaluate',
    'format_table',
    'is_long',
    'load_json',
    'long_video_ids',
    'measure_files',
    'merge_parts',
    'read_annotated',
    'read_ground_truth',
    'read_results',
    'save_metrics',
]


def __getattr__(name: str) -> Any:
    if name == 'VISMetric':
        from .vis_metric import VISMetric

        return VISMetric
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
