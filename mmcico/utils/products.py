"""Precision of products."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def new_settings() -> list[Any]:
    """Return the owners of PyTorch's newer settings (2.9 and later), for each kind of product."""
    backends: Any = torch.backends
    kinds = [backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul]
    return kinds + [getattr(backends.mkldnn, name) for name in ('conv', 'rnn', 'matmul')]


@contextmanager
def whole_products() -> Iterator[None]:
    """Compute convolutions and matrix products of float32 in whole precision within a block.

    GPUs since Ampere round the inputs of convolutions to 10 bits (TF32) unless they are told not
    to, so that two ways to compute the same differ by about a thousandth.
    """
    cudnn: Any = torch.backends.cudnn
    try:
        rounds, products = cudnn.allow_tf32, torch.get_float32_matmul_precision()
    except RuntimeError:  # the newer settings have been used, which exclude the older ones
        before = [(owner, owner.fp32_precision) for owner in new_settings()]
        for owner, _ in before:
            owner.fp32_precision = 'ieee'
        try:
            yield
        finally:
            for owner, value in before:
                owner.fp32_precision = value
        return
    cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision('highest')
    try:
        yield
    finally:
        cudnn.allow_tf32 = rounds
        torch.set_float32_matmul_precision(products)
