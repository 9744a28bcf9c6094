"""Random generators that are seeded by numbers instead of running on."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def _words(numbers: tuple[int, ...]) -> np.ndarray:
    """Return eight 32-bit words that depend on every bit of the numbers."""
    return np.random.SeedSequence(numbers[0], spawn_key=numbers[1:]).generate_state(8)


def seed_generators(*numbers: int) -> None:
    """Seed Python's, NumPy's and PyTorch's generators, those of all devices included.

    Args:
        *numbers (int): Not negative. Other numbers give unrelated seeds.
    """
    words = _words(numbers)
    random.seed(words.tobytes())
    np.random.seed(words)
    torch.manual_seed(int(words[:2].view(np.int64)[0]))


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed the generators of the CPU for a while and put them back afterwards.

    Args:
        *numbers (int): As of :func:`seed_generators`.
    """
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    words = _words(numbers)
    random.seed(words.tobytes())
    np.random.seed(words)
    # torch.manual_seed would seed the generators of GPUs as well
    torch.default_generator.manual_seed(int(words[:2].view(np.int64)[0]))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
