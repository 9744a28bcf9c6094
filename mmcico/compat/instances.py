"""Indices of MMEngine's ``InstanceData`` on any device."""

from types import ModuleType
from typing import Any

import numpy as np
import torch


class _OfKind(type):
    """Class of classes whose instances are the tensors of one type of values, on any device."""

    dtype: torch.dtype

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, torch.Tensor) and value.dtype == cls.dtype


class BoolIndex(metaclass=_OfKind):
    """Any tensor of bool."""

    dtype = torch.bool


class LongIndex(metaclass=_OfKind):
    """Any tensor of int64."""

    dtype = torch.long


def take_any_device(module: ModuleType) -> None:
    """Let tensors of all devices select instances.

    MMEngine knows the tensors of CPUs, of CUDA and of a few others by their classes and refuses
    those of Apple's GPUs (``mps``), which it takes by default on a Mac, and of Intel's (``xpu``).
    """
    names = {
        'BoolTypeTensor': BoolIndex | torch.BoolTensor,
        'LongTypeTensor': LongIndex | torch.LongTensor,
        'IndexType': str | slice | int | list | LongIndex | BoolIndex | np.ndarray,
    }
    vars(module).update({name: kinds for name, kinds in names.items() if name in vars(module)})
