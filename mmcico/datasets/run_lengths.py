"""Moved to :mod:`mmcico.formats.rle`."""

from mmcico.formats.rle import MaskInfo, measure_runs, runs_of_list, runs_of_text

__all__ = ['MaskInfo', 'measure_runs', 'runs_of_list', 'runs_of_text']
