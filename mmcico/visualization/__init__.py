"""Pictures and videos of results."""

from .draw import DrawnObject, contact_sheet, draw_objects, track_colour
from .resizing import resized
from .video_writer import VideoWriter, open_video_writer

__all__ = [
    'DrawnObject',
    'VideoWriter',
    'contact_sheet',
    'draw_objects',
    'open_video_writer',
    'resized',
    'track_colour',
]
