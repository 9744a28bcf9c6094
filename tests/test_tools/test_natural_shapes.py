"""Generated video that resembles real video: its masks are exact, its seed decides everything."""

import sys

import cv2
import numpy as np
import pytest
from tool_runs import TOOLS, tool_module

from mmcico.formats.read import read_annotations
from mmcico.formats.rle import decode_masks

sys.path.insert(0, str(TOOLS / 'dataset_tools'))
natural_shapes = pytest.importorskip('natural_shapes')
natural_textures = pytest.importorskip('natural_textures')


def make(folder, *options):
    tool = tool_module('dataset_tools/make_natural_shapes.py')
    args = ['--num-videos', '3', '--num-frames', '3', '--size', '48', '80', '--seed', '4']
    tool.main(['--out', str(folder), *args, *options])
    return read_annotations(folder / 'instances.json')


def test_the_seed_decides_everything(tmp_path):
    first, second = (make(tmp_path / name) for name in ('a', 'b'))
    assert [[t.counts for t in v.tracks] for v in first.videos] == [
        [t.counts for t in v.tracks] for v in second.videos
    ]
    for video in first.videos:
        for name in video.file_names:
            files = [(tmp_path / each / 'JPEGImages' / name).read_bytes() for each in ('a', 'b')]
            assert files[0] == files[1]
    other = make(tmp_path / 'c', '--seed', '5')
    assert first.videos[0].tracks[0].counts != other.videos[0].tracks[0].counts


def test_objects_of_a_frame_do_not_share_pixels(tmp_path):
    file = make(tmp_path)
    assert any(len(video.tracks) > 1 for video in file.videos)
    for video in file.videos:
        for frame in range(video.length):
            counts = [track.counts[frame] for track in video.tracks if track.seen(frame)]
            assert decode_masks(counts, *video.size).sum(axis=0).max(initial=0) <= 1


def test_noise_has_zero_mean_unit_spread_and_more_smoothness_with_a_steeper_slope():
    rng = np.random.default_rng(0)
    rough, smooth = (natural_textures.photo_noise(rng, 64, 96, slope) for slope in (0.5, 2))
    for image in (rough, smooth):
        assert abs(image.mean()) < 1e-4 and abs(image.std() - 1) < 1e-4
    steps = [np.abs(np.diff(image, axis=1)).mean() for image in (rough, smooth)]
    assert steps[1] < steps[0] / 2


def test_a_mask_is_where_the_object_is_drawn():
    rng = np.random.default_rng(5)
    size = (64, 96)
    body = natural_shapes.random_body(rng, size, 0.0)
    colour, cover = natural_shapes.draw_body(body, np.eye(3), 0.0, size)
    assert cover.max() == 1
    assert not colour[cover == 0].any()
    count, _ = cv2.connectedComponents((cover > 0.5).astype(np.uint8))
    assert count >= 2  # the background and at least one region
