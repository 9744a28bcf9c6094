"""Own motion of what a clip shows, by hand-made frames and flows."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmcico.datasets import ClipMotion
from mmcico.datasets.transforms.motion import (
    MIN_SIZE,
    SPAN,
    motion_frames,
    optical_flow,
    own_motion,
)
from mmcico.models.vis.augmentation import mirror_motion


def texture(height, width, seed):
    """Return smooth noise, uint8."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 60 * noise / max(noise.std(), 1e-6), 0, 255).astype(np.uint8)


def moving_clip(num_frames=3):
    """Return frames of a camera that moves by 2 pixels and a square that goes 3 pixels down."""
    ground, square = texture(140, 200, seed=0), texture(40, 40, seed=1)
    frames = []
    for t in range(num_frames):
        frame = ground[10:106, 20 + 2 * t : 164 + 2 * t].copy()
        frame[20 + 3 * t : 60 + 3 * t, 50:90] = square
        frames.append(frame)
    return frames


def quadratic_flow(height, width):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u = 3 + 0.05 * x - 0.02 * y + 0.0004 * x * y + 0.001 * y * y
    return np.stack([u, -1 + 0.03 * y + 0.0003 * x * x], axis=-1).astype(np.float32)


def test_motion_of_the_camera_alone_leaves_nothing():
    assert np.abs(own_motion(quadratic_flow(64, 96))).max() < 0.5


def test_an_object_keeps_what_it_does_beyond_the_camera():
    flow = quadratic_flow(64, 96)
    flow[20:40, 30:60] += (0, 6)
    rest = own_motion(flow)
    outside = np.ones((64, 96), bool)
    outside[20:40, 30:60] = False
    assert np.abs(rest[outside]).max() < 3
    # the usual deviation is no more than noise of 0.1 pixels, so that 6 pixels are 60 of it
    assert rest[20:40, 30:60, 1].min() > 45
    assert np.abs(rest[20:40, 30:60, 0]).max() < 3


def test_fast_and_slow_video_look_alike():
    rng = np.random.default_rng(0)
    flow = quadratic_flow(64, 96) + rng.normal(0, 1, (64, 96, 2)).astype(np.float32)
    rest = own_motion(flow)
    np.testing.assert_allclose(own_motion(3 * flow), rest, rtol=0.05, atol=0.05)
    # the median length of such noise is sqrt(2 ln 2) = 1.177, and 1.5 times that is usual
    assert rest.std() == pytest.approx(1 / (1.5 * 1.177), rel=0.1)


def test_small_motion_is_measured_against_noise():
    flow = np.zeros((64, 96, 2), np.float32)
    flow[20:40, 30:60, 0] = 0.2
    assert own_motion(flow)[30, 45, 0] == pytest.approx(2, abs=0.2)


def test_flow_is_the_way_to_the_other_frame():
    frame, after = moving_clip(2)
    flow = optical_flow(frame, after)
    inside = flow[30:50, 60:80].mean((0, 1))
    around = flow[5:15, 20:120].mean((0, 1))
    np.testing.assert_allclose(inside, (0, 3), atol=0.3)
    np.testing.assert_allclose(around, (-2, 0), atol=0.3)


def test_frames_show_brightness_and_own_motion():
    greys = moving_clip()
    frames = motion_frames(greys)
    assert len(frames) == 3
    for t, (grey, frame) in enumerate(zip(greys, frames)):
        assert frame.dtype == np.uint8
        assert np.array_equal(frame[..., 0], grey)
        inside = frame[30 + 3 * t : 50 + 3 * t, 60:80].mean((0, 1))
        around = frame[3:12, 20:120].mean((0, 1))
        # beyond the camera, the square goes 2 pixels to the right and 3 downwards, in the first
        # frame as in the others
        assert inside[1] > 200 and inside[2] > 200
        np.testing.assert_allclose(around[1:], 128, atol=25)


def test_the_limit_of_motion_is_a_tanh():
    greys = moving_clip()
    own = own_motion(-optical_flow(greys[1], greys[0]))
    expected = np.rint(128 + 127 * np.tanh(own / SPAN))
    assert np.array_equal(motion_frames(greys)[1][..., 1:], expected)


@pytest.mark.parametrize('size', [(1, 1), (5, 7), (MIN_SIZE - 1, 300), (96, 3)])
def test_frames_of_few_pixels(size):
    frames = motion_frames([texture(*size, seed=each) for each in range(2)])
    assert [frame.shape for frame in frames] == [(*size, 3)] * 2


def test_what_stands_still_has_no_motion():
    grey = texture(40, 60, seed=3)
    for frames in (motion_frames([grey]), motion_frames([grey] * 3)):
        assert np.array_equal(frames[-1][..., 0], grey)
        assert (frames[-1][..., 1:] == 128).all()


def clip(images):
    info = dict(video_id=7, frame_ids=(0, 1))
    return dict(img=images, clip_info=[info] * 2, source=['a.json'] * 2)


def test_the_transform_replaces_the_colours():
    greys = moving_clip(2)
    # OpenCV weighs green 0.587
    images = [np.dstack([0 * grey, grey, 0 * grey]).astype(np.float32) for grey in greys]
    images[0][0, 0] = 300
    changed = ClipMotion().transform(clip(images))['img']
    assert abs(int(changed[1][50, 50, 0]) - 0.587 * greys[1][50, 50]) <= 1
    assert changed[0][0, 0, 0] == 255


def test_frames_of_several_sizes_are_refused():
    with pytest.raises(ValueError, match=r'a.json: video 7, frames \(0, 1\) differ in size'):
        ClipMotion().transform(clip([np.zeros((20, 20, 3)), np.zeros((20, 24, 3))]))


@pytest.mark.parametrize('kind', ['mmcico.ClipMotion', ClipMotion])
def test_mirror_images_change_the_sign_of_motion(kind):
    def signs(tta, *steps):
        pipeline = [dict(type=each) for each in steps]
        model = dict(test_cfg=dict(tta=tta))
        cfg = Config(dict(model=model, test_dataloader=dict(dataset=dict(pipeline=pipeline))))
        mirror_motion(cfg)
        return cfg.model.test_cfg.tta

    assert signs(dict(flip=True), kind, 'mmcico.PackClipInputs') == dict(flip=True, negated=[1])
    assert signs(dict(), 'mmcico.PackClipInputs') == dict()
    assert signs(dict(negated=[]), kind) == dict(negated=[])
    assert signs(None, kind) is None
    for loader in ({}, {'test_dataloader': None}, {'test_dataloader': dict(dataset=None)}):
        mirror_motion(Config(dict(model=dict(test_cfg=None), **loader)))
