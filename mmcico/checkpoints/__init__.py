"""Weights of other code: conversion both ways, and inflation from images."""

from .convert import ours_to_published, published_to_ours
from .inflate import inflate, kind_of
from .inflated_init import InflatedPretrained
from .layout import ModelLayout
from .report import Report

__all__ = [
    'InflatedPretrained',
    'ModelLayout',
    'Report',
    'inflate',
    'kind_of',
    'ours_to_published',
    'published_to_ours',
]
