from .clip_tracker import ClipTracker
from .matching import GreedyMatching, HungarianMatching
from .track_state import TrackState

__all__ = ['ClipTracker', 'TrackState', 'GreedyMatching', 'HungarianMatching']
