"""The networks and everything that they are built from."""

import mmcico.compat  # noqa: F401

import mmdet.models  # noqa: F401  bare types of configs live there

from . import data_preprocessors, heads, layers, losses, necks, task_modules, trackers, vis
from .data_preprocessors import *  # noqa: F403
from .heads import *  # noqa: F403
from .layers import *  # noqa: F403
from .losses import *  # noqa: F403
from .necks import *  # noqa: F403
from .task_modules import *  # noqa: F403
from .trackers import *  # noqa: F403
from .vis import *  # noqa: F403

PARTS = vis, heads, layers, losses, necks, task_modules, trackers, data_preprocessors
__all__ = [name for part in PARTS for name in part.__all__]
