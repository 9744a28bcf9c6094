"""Diagnosis of the errors that cost AP, without the OpenMMLab packages."""

from .breakdown import ORACLES, Breakdown, break_down
from .cases import Case, read_cases
from .files import diagnose, write_diagnosis
from .frames import frame_figures
from .summary import format_summary

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
