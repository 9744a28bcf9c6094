"""What numbers depend on: the seeds of random generators, and the precision of products."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch


def _seed(numbers: tuple[int, ...], seed_torch: Callable[[int], Any]) -> None:
    """Seed all generators by words that depend on every bit of the numbers."""
    words = np.random.SeedSequence(numbers[0], spawn_key=numbers[1:]).generate_state(8)
    random.seed(words.tobytes())
    np.random.seed(words)
    seed_torch(int(words[:2].view(np.int64)[0]))


def seed_generators(*numbers: int) -> None:
    """Seed Python's, NumPy's and PyTorch's generators, those of all devices included.

    The numbers are not negative; other numbers give unrelated seeds.
    """
    _seed(numbers, torch.manual_seed)


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed the generators of the CPU as :func:`seed_generators`, and put them back afterwards."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    # torch.manual_seed would seed the generators of GPUs as well
    _seed(numbers, torch.default_generator.manual_seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def _newer_settings() -> list[Any]:
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
    with ExitStack() as before:
        try:
            rounds, products = cudnn.allow_tf32, torch.get_float32_matmul_precision()
        except RuntimeError:  # the newer settings have been used, which exclude the older ones
            for owner in _newer_settings():
                before.callback(setattr, owner, 'fp32_precision', owner.fp32_precision)
                owner.fp32_precision = 'ieee'
        else:
            before.callback(torch.set_float32_matmul_precision, products)
            before.callback(setattr, cudnn, 'allow_tf32', rounds)
            cudnn.allow_tf32 = False
            torch.set_float32_matmul_precision('highest')
        yield
