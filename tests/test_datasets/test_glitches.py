"""Frames that moving shapes spoil on purpose."""

from dataclasses import replace

import numpy as np
import pytest

from mmcico.datasets.moving_shapes import generate_video, make_config
from mmcico.datasets.moving_shapes.textures import Glitches, random_glitches

STEADY = make_config('easy', num_frames=8, size=(48, 64))
FLICKERING = replace(STEADY, flicker=1.0)


def test_without_flicker_nothing_is_drawn():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    assert random_glitches(rng, 8, 0.0) == Glitches()
    assert rng.random() == other.random()
    picture = np.ones((2, 2, 3), np.float32)
    assert Glitches().spoil(picture, 5) is picture


def test_share_and_strength_of_spoilt_frames():
    strengths = np.array(random_glitches(np.random.default_rng(0), 4000, 0.6).strengths)
    hit = strengths > 0
    assert hit.mean() == pytest.approx(0.3, abs=0.03)
    assert strengths[hit].min() >= 0.85 and strengths[hit].max() < 1


def test_spoilt_picture_by_hand():
    picture = np.zeros((40, 40, 3), np.float32)
    picture[:, 20:] = 200
    glitches = Glitches((0.0, 1.0), seed=5)
    assert glitches.spoil(picture, 0) is picture
    spoilt = glitches.spoil(picture, 1)
    # 8 % of the contrast about the mean of 100, and grain of 24
    assert spoilt[:, :10].mean() == pytest.approx(92, abs=3)
    assert spoilt[:, 30:].mean() == pytest.approx(108, abs=3)
    assert spoilt[:, :10, 0].std() == pytest.approx(24, abs=2)
    assert np.array_equal(spoilt, glitches.spoil(picture, 1))
    assert not np.array_equal(spoilt, Glitches((0.0, 1.0), 6).spoil(picture, 1))


def test_a_quarter_of_the_colour_is_left():
    picture = np.zeros((200, 200, 3), np.float32)
    picture[..., 2] = 240
    blue, green, red = Glitches((1.0,)).spoil(picture, 0).mean(axis=(0, 1))
    # 240 apart at first, then a quarter, then 8 % of it; grain leaves .1
    assert red - blue == pytest.approx(240 * 0.25 * 0.08, abs=0.6)
    assert blue == pytest.approx(green, abs=0.6)


def test_objects_and_other_frames_stay_as_they_are():
    frames, tracks = generate_video(1, 2, STEADY)
    spoilt, same_tracks = generate_video(1, 2, FLICKERING)
    changed = (frames != spoilt).any(axis=(1, 2, 3))
    assert 0 < changed.sum() < len(frames)
    assert len(tracks) == len(same_tracks) > 0
    for one, two in zip(tracks, same_tracks):
        assert one.label == two.label
        assert np.array_equal(one.masks, two.masks)
    assert np.array_equal(spoilt, generate_video(1, 2, FLICKERING)[0])


def test_flicker_has_a_range():
    with pytest.raises(ValueError, match='moving shapes: flicker is 1.5'):
        make_config(flicker=1.5)
