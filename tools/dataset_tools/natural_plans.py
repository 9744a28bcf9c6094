"""Plans of objects: which parts animals, people, vehicles and blobs have, and where."""

from typing import NamedTuple

import numpy as np


class Limb(NamedTuple):
    """Where a plan has a part.

    Attributes:
        axes: Half width and half height, in radii of the object.
        anchor: Where it is fixed, in radii; x to the front, y down.
        rest: Angle at rest, radians; 0 hangs down.
        swing: Size of its swing, radians.
        square: Exponent of the superellipse.
        hang: Shift of its middle from the anchor, in half heights.
    """

    axes: tuple[float, float]
    anchor: tuple[float, float]
    rest: float = 0.0
    swing: float = 0.1
    square: float = 2.0
    hang: float = 0.8


def animal(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something with legs below a level trunk, a neck and a tail."""
    high, leg, thin = rng.uniform(0.25, 0.6), rng.uniform(0.1, 0.8), rng.uniform(0.06, 0.16)
    limbs = [
        Limb((thin, leg), (x + rng.normal(0, 0.06), 0.5 * high), 0, 0.8)
        for x in (-0.75, -0.55, 0.55, 0.75)
    ]
    up, neck = np.pi + rng.uniform(-1.4, 0.3), rng.uniform(0.1, 0.7)
    tip = (0.8 - 1.7 * neck * np.sin(up), 1.7 * neck * np.cos(up) - 0.3 * high)
    head = (rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.4))
    limbs += [
        Limb((1.0, high), (0, 0), hang=0),
        Limb((rng.uniform(0.08, 0.25), neck), (0.8, -0.3 * high), up, 0.2),
        Limb(head, tip, -rng.uniform(0.2, 1.7), 0.3),
        Limb((0.05, rng.uniform(0.1, 0.4)), (-0.9, -0.3 * high), rng.uniform(0.2, 1.5), 0.5),
    ]
    return limbs


def person(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something upright with a head, arms and legs."""
    wide, thin = rng.uniform(0.2, 0.35), rng.uniform(0.07, 0.14)
    legs = [
        Limb((thin * 1.2, rng.uniform(0.35, 0.55)), (x * wide, 0.35), -0.3 * x, 0.7)
        for x in (-0.6, 0.6)
    ]
    arms = [
        Limb((thin, rng.uniform(0.3, 0.4)), (x * wide, -0.3), -x * rng.uniform(0, 2.5), 0.9)
        for x in (-0.9, 0.9)
    ]
    trunk = Limb((wide, 0.5), (0, 0), hang=0, square=rng.choice([2, 3]))
    head = Limb((rng.uniform(0.13, 0.2), 0.2), (0, -0.45), np.pi, 0.2)
    parts = [legs[0], arms[0], legs[1], head, trunk, arms[1]]
    if rng.random() < 0.3:  # a bicycle or a board
        x, radius = rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.4)
        parts = [Limb((radius, radius), (each, 0.9), 0, 0.05, hang=0) for each in (-x, x)] + parts
    return parts


def vehicle(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something on wheels with a cabin."""
    high, wheel = rng.uniform(0.2, 0.45), rng.uniform(0.12, 0.25)
    cabin = (rng.uniform(0.3, 0.8), rng.uniform(0.15, 0.35))
    where = rng.uniform(-0.3, 0.3)
    window = (0.8 * cabin[0], 0.6 * cabin[1])
    return [
        Limb(cabin, (where, -0.9 * high), 0, 0, rng.uniform(2.5, 5), 0),
        Limb(window, (where, -high), 0, 0, rng.uniform(2.5, 5), 0),
        Limb((1.0, high), (0, 0), 0, 0.02, rng.uniform(3, 7), 0),
        *(Limb((wheel, wheel), (x, 0.9 * high), 0, 0, hang=0) for x in (-0.6, 0.6)),
    ]


def blob(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something round with up to five limbs on any side."""
    high = rng.uniform(0.35, 1.1)
    limbs = [Limb((1.0, high), (0, 0), 0, 0.05, rng.choice([2, 2, 2.5, 4]), 0)]
    for _ in range(rng.integers(0, 6)):
        axes, where = (rng.uniform(0.08, 0.4), rng.uniform(0.2, 0.8)), rng.uniform(0, 2 * np.pi)
        anchor = (0.8 * np.cos(where), 0.8 * high * np.sin(where))
        out = where - np.pi / 2 + rng.normal(0, 0.5)
        limbs.append(Limb(axes, anchor, out, rng.uniform(0.1, 0.9), 2, rng.uniform(0.3, 1)))
    return [limbs[i] for i in rng.permutation(len(limbs))]
