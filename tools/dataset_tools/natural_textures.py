"""Surfaces that resemble those of photographs: noise with their spectrum, patches and stripes."""

import numpy as np

from mmcico.datasets.moving_shapes.textures import hsv_colour

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
    return hsv_colour(hue + rng.normal(0, spread), rng.beta(1.2, 2.5), rng.beta(1.3, 1.3))


def stripes(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return waves in one direction or two, (height, width) float32 in -1..1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, wave = rng.uniform(0, np.pi), rng.uniform(0.05, 0.6)
    image = np.sin(wave * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6))
    if rng.random() < 0.5:
        other = wave * rng.uniform(0.7, 1.4)
        image = image * np.sin(other * (y * np.cos(angle) - x * np.sin(angle)))
    return image


def material(rng: np.random.Generator, height: int, width: int, hue: float) -> np.ndarray:
    """Return a surface of two tones with grain, (height, width, 3) float32 BGR.

    The tones pass into each other, or have clear borders as in fur and clothes.
    """
    first, second = random_colour(rng, hue), random_colour(rng, hue, 50)
    contrast = rng.choice([rng.uniform(0.2, 3), rng.uniform(10, 30)], p=[0.75, 0.25])
    noise = photo_noise(rng, height, width, rng.uniform(1, 2))
    if rng.random() < 0.15:
        noise = 0.5 * noise + 2 * stripes(rng, height, width)
    share = 1 / (1 + np.exp(-contrast * noise + rng.normal()))
    grain = 1 + rng.uniform(0.01, 0.08) * photo_noise(rng, height, width, rng.uniform(0.5, 1.2))
    return (first + (second - first) * share[..., None]) * grain[..., None]


def flattened(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Return a surface with less contrast, from nearly plain to unchanged."""
    mean = image.mean(axis=(0, 1))
    return mean + (image - mean) * np.float32(rng.uniform(0.1, 1))
