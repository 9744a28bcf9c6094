"""Moved to :mod:`mmcico.formats.annotations`."""

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id

__all__ = ['AnnotatedTrack', 'AnnotatedVideo', 'AnnotationFile', 'Id']
