"""Diagnosis of the errors that cost AP, without the OpenMMLab packages."""

from .breakdown import ORACLES, Breakdown, break_down
from .cases import Case, read_cases
from .frames import frame_figures
from .report import diagnose, format_summary, write_diagnosis

__all__ = [
    'ORACLES',
    'Breakdown',
    'Case',
    'break_down',
    'diagnose',
    'format_summary',
    'frame_figures',
    'read_cases',
    'write_diagnosis',
]
