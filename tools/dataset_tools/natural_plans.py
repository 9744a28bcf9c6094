"""Plans of objects: which parts animals, people, vehicles, riders and blobs have, and where."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: groups of parts with a surface of their own
TRUNK, LIMBS, HEAD, WHEELS, WINDOW, RIDER, RIDER_LIMBS, RIDER_HEAD = range(8)


class Limb(NamedTuple):
    """Where a plan has a part.

    Attributes:
        axes: Half width and half height, in radii of the object.
        anchor: Where it is fixed, in radii; x to the front, y down.
        group: Parts of a group share a surface.
        rest: Angle at rest, radians; 0 hangs down.
        swing: Size of its swing, radians.
        square: Exponent of the superellipse.
        hang: Shift of its middle from the anchor, in half heights.
    """

    axes: tuple[float, float]
    anchor: tuple[float, float]
    group: int = TRUNK
    rest: float = 0.0
    swing: float = 0.1
    square: float = 2.0
    hang: float = 0.8


def animal(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something with legs below a level trunk, a neck and a tail."""
    high, leg, thin = rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.8), rng.uniform(0.06, 0.16)
    limbs = [
        Limb((thin, leg), (x + rng.normal(0, 0.06), 0.5 * high), LIMBS, 0, 0.8)
        for x in (-0.75, -0.55, 0.55, 0.75)
    ]
    up, neck = np.pi + rng.uniform(-1.4, 0.3), rng.uniform(0.1, 0.7)
    tip = (0.8 - 1.7 * neck * np.sin(up), 1.7 * neck * np.cos(up) - 0.3 * high)
    head = (rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.4))
    limbs += [
        Limb((1.0, high), (0, 0), hang=0),
        Limb((rng.uniform(0.3, 0.6), 0.8 * high), (rng.uniform(-0.6, 0.6), -0.2 * high), hang=0),
        Limb((rng.uniform(0.1, 0.3), neck), (0.8, -0.3 * high), TRUNK, up, 0.2),
        Limb(head, tip, HEAD, -rng.uniform(0.2, 1.7), 0.3),
        Limb((0.06, rng.uniform(0.1, 0.4)), (-0.9, -0.3 * high), LIMBS, rng.uniform(0.2, 1.5), 0.5),
    ]
    return limbs


def person(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something upright with a head, arms and legs of two links each."""
    wide, thin = rng.uniform(0.2, 0.35), rng.uniform(0.07, 0.14)
    stride, bend = rng.uniform(0, 0.9), rng.uniform(0, 0.8)
    lower = []
    for side in (-1, 1):
        turn = -side * stride / 2
        knee = (side * 0.5 * wide - 0.6 * np.sin(turn), 0.35 + 0.6 * np.cos(turn))
        lower += [
            Limb((1.3 * thin, 0.38), (side * 0.5 * wide, 0.35), LIMBS, turn, 0.2),
            Limb((thin, 0.36), knee, LIMBS, turn + bend * rng.uniform(0, 1), 0.2),
        ]
    upper = []
    for side in (-1, 1):
        turn = -side * rng.uniform(0, 2.8)
        elbow = (side * 0.8 * wide - 0.5 * np.sin(turn), -0.35 + 0.5 * np.cos(turn))
        upper += [
            Limb((thin, 0.3), (side * 0.8 * wide, -0.35), TRUNK, turn, 0.2),
            Limb((0.8 * thin, 0.28), elbow, HEAD, turn + rng.normal(0, 0.7), 0.3),
        ]
    trunk = Limb((wide, 0.55), (0, 0), hang=0, square=rng.choice([2, 3]))
    head = Limb((rng.uniform(0.13, 0.2), 0.2), (0, -0.5), HEAD, np.pi, 0.2)
    return [*lower[:2], *upper[:2], *lower[2:], head, trunk, *upper[2:]]


def vehicle(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something on wheels with a cabin."""
    high, wheel = rng.uniform(0.2, 0.45), rng.uniform(0.12, 0.25)
    cabin = (rng.uniform(0.4, 0.8), rng.uniform(0.18, 0.4))
    where = rng.uniform(-0.3, 0.3)
    pane = (0.42 * cabin[0], 0.6 * cabin[1])
    boxy = rng.uniform(2.5, 5)
    return [
        Limb(cabin, (where, -0.8 * high), TRUNK, 0, 0, boxy, 0),
        *(
            Limb(pane, (where + side * 0.45 * cabin[0], -high), WINDOW, 0, 0, boxy, 0)
            for side in (-1, 1)
        ),
        Limb((1.0, high), (0, 0), TRUNK, 0, 0.02, rng.uniform(3, 7), 0),
        *(Limb((wheel, wheel), (x, 0.9 * high), WHEELS, 0, 0, 2, 0) for x in (-0.6, 0.6)),
    ]


def blob(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something round with up to five limbs on any side."""
    high = rng.uniform(0.35, 1.1)
    limbs = [Limb((1.0, high), (0, 0), TRUNK, 0, 0.05, rng.choice([2, 2, 2.5, 4]), 0)]
    for _ in range(rng.integers(0, 6)):
        axes, where = (rng.uniform(0.12, 0.5), rng.uniform(0.2, 0.8)), rng.uniform(0, 2 * np.pi)
        anchor = (0.8 * np.cos(where), 0.8 * high * np.sin(where))
        out, swing = where - np.pi / 2 + rng.normal(0, 0.5), rng.uniform(0.1, 0.9)
        group = int(rng.choice([TRUNK, LIMBS, HEAD]))
        limbs.append(Limb(axes, anchor, group, out, swing, 2, rng.uniform(0.3, 1)))
    return [limbs[i] for i in rng.permutation(len(limbs))]


def bicycle(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of two wheels with bars between them."""
    wheel = rng.uniform(0.3, 0.5)
    bars = [Limb((0.05, 0.5), (x, 0), LIMBS, turn, 0) for x, turn in ((-0.6, -1.2), (0.5, 1.0))]
    return [*(Limb((wheel, wheel), (x, 0.3), WHEELS, 0, 0, 2, 0) for x in (-0.65, 0.65)), *bars]


def placed(limbs: Sequence[Limb], scale: float, x: float, y: float, groups: int) -> list[Limb]:
    """Return smaller limbs at another place and of later groups."""
    return [
        each._replace(
            axes=(scale * each.axes[0], scale * each.axes[1]),
            anchor=(scale * each.anchor[0] + x, scale * each.anchor[1] + y),
            group=groups + min(each.group, 2),
        )
        for each in limbs
    ]


def rider(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of one or two people on an animal, a bicycle or a vehicle."""
    mount = rng.choice([animal, bicycle, vehicle])(rng)
    scale = rng.uniform(0.55, 0.9)
    people: list[Limb] = []
    for _ in range(rng.choice([1, 1, 1, 2])):
        x, y = rng.uniform(-0.5, 0.3), -rng.uniform(0.7, 1.2) * scale
        people += placed(person(rng), scale, x, y, RIDER)
    return people + mount if rng.random() < 0.5 else mount + people


#: all plans, and how often each of them is chosen
PLANS = (animal, person, vehicle, blob, rider)
SHARES = (0.28, 0.2, 0.18, 0.16, 0.18)
