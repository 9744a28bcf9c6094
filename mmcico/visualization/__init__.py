"""Pictures and videos of results."""
from .draw import (DrawnObject, contact_sheet, draw_objects, enlarge,
                   track_colour)
from .video_writer import VideoWriter, open_video_writer

__all__ = [
    'DrawnObject', 'VideoWriter', 'contact_sheet', 'draw_objects', 'enlarge',
    'open_video_writer', 'track_colour'
]
