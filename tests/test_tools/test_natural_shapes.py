"""Generated video that resembles real video: its masks are exact, its seed decides everything."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from tool_runs import TOOLS, tool_module

from mmcico.formats.read import read_annotations
from mmcico.formats.rle import decode_masks

sys.path.insert(0, str(TOOLS / 'dataset_tools'))
natural_bodies = pytest.importorskip('natural_bodies')
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
    file = make(tmp_path, '--num-videos', '12')
    assert any(len(video.tracks) > 1 for video in file.videos)
    for video in file.videos:
        for frame in range(video.length):
            counts = [track.counts[frame] for track in video.tracks if track.seen(frame)]
            assert decode_masks(counts, *video.size).sum(axis=0).max(initial=0) <= 1


def test_words_of_occlusion_tell_what_is_hidden(tmp_path):
    make(tmp_path, '--num-videos', '12', '--seed', '5')
    tracks = json.loads((tmp_path / 'instances.json').read_text())['annotations']
    words = {word for track in tracks for word in track['occlusion']}
    assert words >= {'no_occlusion', 'slight_occlusion', 'severe_occlusion'}
    rng = np.random.default_rng(3)
    film = natural_shapes.random_film(rng, (64, 96), easy=True)
    (body,) = film.bodies
    ((_, (visible, full)),) = natural_shapes.frames(rng, replace(film, bodies=[body, body]), 1)
    assert np.array_equal(full[0], full[1]) and np.array_equal(full[1], visible[1])
    assert visible[1].any() and visible[0].sum() < full[0].sum() / 10


def test_noise_has_zero_mean_unit_spread_and_more_smoothness_with_a_steeper_slope():
    rng = np.random.default_rng(0)
    rough, smooth = (natural_textures.photo_noise(rng, 64, 96, slope) for slope in (0.5, 2))
    for image in (rough, smooth):
        assert abs(image.mean()) < 1e-4 and abs(image.std() - 1) < 1e-4
    steps = [np.abs(np.diff(image, axis=1)).mean() for image in (rough, smooth)]
    assert steps[1] < steps[0] / 2


def test_a_mask_is_where_the_object_is_drawn():
    rng = np.random.default_rng(5)
    body = natural_bodies.random_body(rng, (48, 32), 40, 80, 0)
    box, colour, cover = natural_bodies.draw_body(body, np.eye(3), 0.0, (64, 96))
    assert cover.max() == 1
    assert not colour[cover == 0].any()
    rows, columns = box
    assert (rows.start + rows.stop) / 2 == pytest.approx(32, abs=3)
    assert (columns.start + columns.stop) / 2 == pytest.approx(48, abs=3)
    # as high or as wide as was asked for
    assert rows.stop - rows.start == pytest.approx(40, abs=3) or (
        columns.stop - columns.start == pytest.approx(80, abs=3)
    )
    image, drawn = np.full((64, 96, 3), 7, np.float32), np.zeros((64, 96), np.float32)
    drawing = natural_bodies.Drawing(box, colour, cover)
    drawing.paste(image)
    drawing.paste(drawn)
    assert (image[drawn == 0] == 7).all() and drawn.sum() == pytest.approx(cover.sum())


def test_the_camera_keeps_a_followed_object_in_place_and_moves_the_background():
    rng = np.random.default_rng(3)
    still = natural_bodies.random_wobble(rng, 0, 0)
    body = natural_bodies.random_body(rng, (48, 32), 40, 80, 0)
    body = replace(body, x=replace(still, slope=5.0))
    film = replace(
        natural_shapes.random_film(rng, (64, 96), easy=True),
        bodies=[body],
        follow=1.0,
        pan=(still, still),
        zoom=still,
        depth=0.5,
    )
    for time in (0.0, 2.0):
        where = film.view(time) @ body.pose(time) @ [0, 0, 1]
        np.testing.assert_allclose(where, body.pose(0) @ [0, 0, 1], atol=1e-9)
    assert film.view(2.0, film.depth)[0, 2] == pytest.approx(-5)
