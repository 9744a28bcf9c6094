"""Conversion of published weights, and initialisation from image detectors."""

from .convert import ours_to_published, published_to_ours
from .inflate import InflatedPretrained, inflate, kind_of
from .layout import ModelLayout, Report

__all__ = [
    'InflatedPretrained',
    'ModelLayout',
    'Report',
    'inflate',
    'kind_of',
    'ours_to_published',
    'published_to_ours',
]
