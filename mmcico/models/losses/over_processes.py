"""Sums and choices over the batches of all processes.

A distributed training takes the mean of the processes' gradients. A loss that is a mean over the
whole batch must therefore be divided, in each process, by the mean of the processes' counts.
"""

import hashlib

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor


def total(count: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; the tensor of each must be on its device."""
    count = count.clone()
    all_reduce(count)
    return count


def divisor(count: Tensor) -> Tensor:
    """Return by what a process divides its sum to get a mean over all processes.

    It is the number of terms of all processes, at least 1, over the number of processes; ``count``
    is that of this process. Both are scalars.
    """
    return total(count.float()).clamp(min=1) / get_world_size()


def hardest(losses: Tensor, limit: int) -> Tensor:
    """Choose the largest losses of all processes, ``limit`` in all.

    Returns those of this process's own losses (N,) that are chosen, largest first, with their
    graph.
    """
    own = losses.topk(min(limit, len(losses))).values
    if get_world_size() == 1:
        return own
    padded = own.new_full((limit,), -torch.inf)
    padded[: len(own)] = own.detach()
    chosen = torch.cat(all_gather(padded)).topk(limit).indices
    return own[: int((chosen // limit == get_rank()).sum())]


def gather_rows(values: Tensor) -> Tensor:
    """Put the rows (n, ...) of all processes below each other; n may differ between processes.

    They are in the order of the processes; this process's own rows keep their graph.
    """
    if get_world_size() == 1:
        return values
    counts = [int(each) for each in all_gather(torch.tensor([len(values)], device=values.device))]
    padded = values.new_zeros(max(counts), *values.shape[1:])
    padded[: len(values)] = values.detach()
    rows = [part[:count] for part, count in zip(all_gather(padded), counts)]
    rows[get_rank()] = values
    return torch.cat(rows)


def of_own_rows(loss: Tensor) -> Tensor:
    """Weight the gradient of a loss that every process computes from the rows of all.

    Each process has the gradients of its own rows alone, and the mean over the processes would
    divide them by their number. The value of the loss stays.
    """
    return loss + (get_world_size() - 1) * (loss - loss.detach())


def shared_number(name: int | str) -> int:
    """Return a number for the name of a video that is the same in all processes."""
    return int.from_bytes(hashlib.blake2b(repr(name).encode(), digest_size=7).digest(), 'big')
