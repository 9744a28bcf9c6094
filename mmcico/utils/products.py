"""Precision of products."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def rounding_switches() -> list[tuple[Any, str, Any]]:
    """Return what may let PyTorch round the inputs of products: owner, name and value for "no"."""
    cudnn: Any = torch.backends.cudnn
    matmul: Any = torch.backends.cuda.matmul
    try:
        _ = cudnn.allow_tf32, matmul.allow_tf32
    except RuntimeError:  # PyTorch 2.9 or later, of which somebody has used the new names
        return [(each, 'fp32_precision', 'ieee') for each in (cudnn.conv, cudnn.rnn, matmul)]
    return [(each, 'allow_tf32', False) for each in (cudnn, matmul)]


@contextmanager
def whole_products() -> Iterator[None]:
    """Compute convolutions and matrix products of float32 in whole precision within a block.

    GPUs since Ampere round the inputs of convolutions to 10 bits (TF32) unless they are told not
    to, so that two ways to compute the same differ by about a thousandth.
    """
    switches = rounding_switches()
    before = [(each, name, getattr(each, name)) for each, name, _ in switches]
    for each, name, value in switches:
        setattr(each, name, value)
    try:
        yield
    finally:
        for each, name, value in before:
            setattr(each, name, value)
