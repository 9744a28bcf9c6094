"""Conversion of data sets to YouTube-VIS' layout and back.

Sources give their videos one by one, writers take them one by one: memory does not grow with the
number of videos read from folders. No OpenMMLab package is needed.
"""
