"""Selections and constants on a device, with as few waits for it as possible."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData
from torch import Tensor


def chosen_rows(instances: InstanceData, chosen: Tensor) -> InstanceData:
    """Return the instances for which ``chosen`` (N,) bool is true; nothing is copied if all are.

    A GPU is waited for once. MMEngine's own indexing finds the rows anew for each field, and waits
    each time.
    """
    rows = chosen.nonzero()[:, 0]
    return instances[rows] if len(rows) < len(instances) else instances[:]


def listed_rows(instances: InstanceData, rows: Sequence[int]) -> InstanceData:
    """Return the instances of a list of rows, in their order, without waiting for a device.

    Nothing is copied if the list has all of them.
    """
    if len(rows) == len(instances):
        return instances[:]
    return instances[numbers_like(next(iter(instances.values())), rows, torch.long)]


def numbers_like(like: Tensor, values: Any, dtype: torch.dtype | None = None) -> Tensor:
    """Return a few numbers as a tensor on the device, and of the type, of another one.

    Unlike ``Tensor.new_tensor``, it does not wait for a CUDA device: that copies memory which is
    not pinned before the call returns, and the rest follows in the order of the stream. Not to be
    used while a CUDA graph is captured.
    """
    numbers = torch.tensor(values, dtype=dtype or like.dtype)
    return numbers.to(like.device, non_blocking=like.is_cuda)
