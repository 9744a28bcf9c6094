"""Pictures and videos of results."""

from .draw import DrawnObject, contact_sheet, draw_objects, track_colour
from .picture_files import VideoWriter, open_video_writer
from .style import DrawStyle, resized

__all__ = [
    'DrawStyle',
    'DrawnObject',
    'VideoWriter',
    'contact_sheet',
    'draw_objects',
    'open_video_writer',
    'resized',
    'track_colour',
]
