"""Surfaces and backgrounds that resemble those of photographs.

Surfaces are noise with the spectrum of photographs. Backgrounds put such surfaces
and heaps of overlapping leaves (the "dead leaves" model of natural images) above
each other and scatter things of one colour on them.
"""

import cv2
import numpy as np

#: hues of backgrounds in degrees: earth, plants, sky, asphalt
BACKGROUND_HUES = (30, 45, 90, 110, 130, 205, 215, 25)


def photo_noise(rng: np.random.Generator, height: int, width: int, slope: float) -> np.ndarray:
    """Return noise whose power spectrum falls like that of photographs.

    Args:
        rng (Generator): Random generator.
        height (int): Height in pixels.
        width (int): Width in pixels.
        slope (float): Amplitudes fall with this power of the frequency; 1 is usual, more is
            smoother.

    Returns:
        np.ndarray: (height, width) float32 with mean 0 and standard deviation 1.
    """
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.sqrt(fy**2 + (fx * rng.uniform(0.5, 2)) ** 2)
    radius[0, 0] = np.inf
    waves = rng.standard_normal((2, *radius.shape))
    image = np.fft.irfft2((waves[0] + 1j * waves[1]) / radius**slope, s=(height, width))
    return ((image - image.mean()) / (image.std() + 1e-6)).astype(np.float32)


def random_colour(rng: np.random.Generator, hue: float, spread: float = 25) -> np.ndarray:
    """Return a colour near a hue, (3,) float32 BGR in 0..255."""
    hsv = np.array(
        [[[(hue + rng.normal(0, spread)) % 360, rng.beta(1.3, 3), rng.beta(2, 2)]]], np.float32
    )
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0] * 255


def material(rng: np.random.Generator, height: int, width: int, hue: float) -> np.ndarray:
    """Return a surface, (height, width, 3) float32 BGR, of two tones with grain."""
    first, second = random_colour(rng, hue), random_colour(rng, hue, 50)
    share = 1 / (
        1 + np.exp(-rng.uniform(0.2, 3) * photo_noise(rng, height, width, rng.uniform(1, 2)))
    )
    if rng.random() < 0.2:  # stripes, cloth, windows
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle, wave = rng.uniform(0, np.pi), rng.uniform(0.05, 0.5)
        stripes = np.sin(wave * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6))
        if rng.random() < 0.5:
            stripes = stripes * np.sin(
                wave * rng.uniform(0.7, 1.4) * (y * np.cos(angle) - x * np.sin(angle))
            )
        share = np.clip(0.5 + 0.5 * share + rng.uniform(0.2, 0.8) * stripes - 0.25, 0, 1)
    grain = 1 + rng.uniform(0.01, 0.12) * photo_noise(rng, height, width, rng.uniform(0.5, 1.2))
    return (first + (second - first) * share[..., None]) * grain[..., None]


def leaves(rng: np.random.Generator, height: int, width: int, hue: float) -> np.ndarray:
    """Return a heap of leaves or stones, (height, width, 3) float32 BGR.

    Their sizes follow a power law, and later ones hide earlier ones.
    """
    colours = [random_colour(rng, hue, 15) for _ in range(4)]
    image = np.empty((height, width, 3), np.float32)
    image[:] = colours[0] * 0.5
    least = rng.uniform(0.006, 0.02) * height
    number = int(min(1200, 1.5 * height * width / (9 * least**2)))
    sizes = np.minimum(least * rng.uniform(0, 1, number) ** -0.6, 0.03 * height)
    angle, spread, aspect = rng.uniform(0, 180), rng.choice([5, 40, 180]), rng.uniform(0.3, 1)
    for size in sizes:
        centre = rng.uniform([0, 0], [width, height])
        axes = (2 * float(size), 2 * aspect * float(size))
        light = rng.uniform(0.5, 1.3)
        colour = (colours[rng.integers(4)] * light).tolist()
        turn = float(angle + rng.normal(0, spread))
        cv2.ellipse(image, (centre.tolist(), axes, turn), colour, -1)
    shade = 1 + 0.15 * photo_noise(rng, height, width, 1.5)
    return cv2.GaussianBlur(image, (0, 0), 0.7) * shade[..., None]


def surface(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a wide surface of a background, (height, width, 3) float32 BGR."""
    make = leaves if rng.random() < 0.4 else material
    return flattened(rng, make(rng, height, width, rng.choice(BACKGROUND_HUES)))


def flattened(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Return a surface with less contrast, from nearly plain to unchanged."""
    mean = image.mean(axis=(0, 1))
    return mean + (image - mean) * np.float32(rng.uniform(0.1, 0.8))


def landscape(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a still background, (height, width, 3) float32 BGR."""
    image = surface(rng, height, width)
    for _ in range(rng.integers(0, 4)):  # ground, sky, hills, walls
        other = surface(rng, height, width)
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        edge = photo_noise(rng, height, width, 1.6) * rng.uniform(0, 0.6) + y * rng.uniform(-2, 2)
        area = np.clip((edge - rng.uniform(-0.5, 0.5)) * rng.choice([2, 8, 40]), 0, 1)
        image = image + (other - image) * area[..., None]
    for _ in range(rng.choice([0, 0, 3, 10])):  # trunks, poles, people far away, stones
        centre = rng.uniform([0, 0], [width, height])
        axes = rng.uniform(2, 0.04 * height, 2) * [1, rng.choice([0.4, 1, 4])]
        ellipse = (centre.tolist(), (2 * axes).tolist(), float(rng.uniform(-20, 20)))
        colour = random_colour(rng, rng.choice(BACKGROUND_HUES)).tolist()
        shape = np.ascontiguousarray(image)
        if rng.random() < 0.5:
            cv2.ellipse(shape, ellipse, colour, -1, cv2.LINE_AA)
        else:
            corners = cv2.boxPoints(ellipse).astype(np.int32)
            cv2.fillPoly(shape, [corners], colour, cv2.LINE_AA)
        image = image + (shape - image) * rng.uniform(0.3, 0.8)
    image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 3)))
    return image * (1 + 0.05 * photo_noise(rng, height, width, 0.8)[..., None])
