"""Random generators that are seeded by numbers instead of running on."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
