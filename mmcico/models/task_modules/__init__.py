from .circumscribed_assigner import CircumscribedAssigner
from .clip_nms import ClipNMS

__all__ = ['CircumscribedAssigner', 'ClipNMS']
