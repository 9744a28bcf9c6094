"""Readers and writers of annotation and results files.

The package needs NumPy and pycocotools alone. :mod:`.read` opens annotation
files of any layout, :mod:`.results` opens results.
"""
