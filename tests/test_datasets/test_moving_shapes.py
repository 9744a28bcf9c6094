"""Masks, tracks and pictures of the moving-shapes generator, by hand."""

import cv2
import numpy as np
import pytest

from mmcico.datasets.moving_shapes import SHAPE_CLASSES, SceneConfig
from mmcico.datasets.moving_shapes.classes import outline
from mmcico.datasets.moving_shapes.generate import (
    make_track,
    occlusion_word,
    scene_tracks,
    track_annotation,
)
from mmcico.datasets.moving_shapes.motion import Camera, Swing, Trajectory
from mmcico.datasets.moving_shapes.render import (
    coverage,
    fill,
    render_frame,
    to_fixed,
    visible_masks,
)
from mmcico.datasets.moving_shapes.scene import UNIT_BOX, Scene, Thing
from mmcico.datasets.moving_shapes.textures import PATTERNS


def square_contour(x0, y0, x1, y1):
    """Corners in sixteenths of a pixel."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) * 16


def box_thing(x, y, half_width, half_height, label=0, colour=255.0, **path):
    texture = np.full((8, 8, 3), colour, np.float32)
    trajectory = Trajectory((x, y), radius=(half_width, half_height), **path)
    return Thing([UNIT_BOX], texture, trajectory, label)


def scene_of(*things, size=(40, 60)):
    background = np.zeros((2 * size[0], 2 * size[1], 3), np.float32)
    middle = ((size[1] - 1) / 2, (size[0] - 1) / 2)
    return Scene(things, Camera(middle), background)


def small_config(**values):
    defaults = dict(num_frames=1, size=(40, 60), min_visible=1)
    return SceneConfig(**{**defaults, **values})


# --- masks -----------------------------------------------------------------


def test_fill_takes_the_pixels_whose_centres_are_inside():
    mask = fill([square_contour(1, 2, 4, 5)], 8, 8)
    # left and upper edges belong to a shape, right and lower ones do not
    assert mask.sum() == 9
    assert mask[2:5, 1:4].all()


def test_fill_of_a_triangle_by_hand():
    triangle = np.array([[0, 0], [64, 0], [0, 64]])
    assert fill([triangle], 5, 5).astype(int).tolist() == [
        [1, 1, 1, 1, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_fill_leaves_holes_and_cuts_at_the_border():
    ring = [square_contour(-2, -2, 6, 6), square_contour(1, 1, 3, 3)]
    mask = fill(ring, 5, 5)
    assert mask.sum() == 25 - 4
    assert not mask[1:3, 1:3].any()
    assert not fill([square_contour(9, 9, 12, 12)], 5, 5).any()


def test_neighbours_share_no_pixel_and_leave_no_gap():
    left = np.array([[0, 0], [37, 3], [21, 90], [0, 96]])
    right = np.array([[37, 3], [96, 0], [96, 96], [21, 90]])
    both = fill([left], 6, 6).astype(int) + fill([right], 6, 6)
    assert both.max() == 1
    assert both[1:5].all()


def test_coverage_by_hand():
    # from 0.5 to 2.75 in columns, rows 1 and 2; a pixel reaches half a unit
    # to either side of its centre
    contour = np.array([[8, 8], [44, 8], [44, 40], [8, 40]])
    share = coverage([contour], 4, 4, finer=4)
    assert share[1].tolist() == share[2].tolist() == [0, 1, 1, 0.25]
    assert not share[[0, 3]].any()


@pytest.mark.parametrize('kind', SHAPE_CLASSES, ids=lambda k: k.name)
def test_every_class_has_an_outline_and_a_pattern(kind):
    assert kind.pattern in PATTERNS
    contours = outline(kind.name)
    assert max(np.hypot(*c.T).max() for c in contours) <= 1 + 1e-9
    scaled = to_fixed(contours, np.array([[40.0, 0, 50], [0, 40.0, 50]]))
    share = fill(scaled, 101, 101).sum() / (np.pi * 40**2)
    assert 0.25 < share <= 1.01
    if kind.name == 'disc':
        assert share == pytest.approx(1, abs=0.02)


def test_outlines_differ():
    transform = np.array([[30.0, 0, 32], [0, 30.0, 32]])
    masks = [fill(to_fixed(outline(kind.name), transform), 65, 65) for kind in SHAPE_CLASSES]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            overlap = (first & second).sum() / (first | second).sum()
            assert overlap < 0.93


def test_visible_masks_go_to_the_nearest():
    full = np.zeros((3, 1, 4), bool)
    full[0, 0, :3] = full[1, 0, 1:] = full[2, 0, 2] = True
    assert visible_masks(full)[:, 0].astype(int).tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 1],
        [0, 0, 1, 0],
    ]


# --- tracks of made scenes -------------------------------------------------


def test_hidden_shares_by_hand():
    behind = box_thing(19.5, 19.5, 10, 10)  # columns and rows 10 to 29
    before = box_thing(27, 19.5, 2.5, 20, label=1)  # columns 25 to 29
    first, second = scene_tracks(scene_of(behind, before), small_config())
    assert first.masks[0].sum() == 20 * 15
    assert first.hidden.tolist() == [0.25]
    assert second.hidden.tolist() == [0]
    assert track_annotation(first)['occlusion'] == ['slight_occlusion']
    assert track_annotation(first)['bboxes'] == [[10, 10, 15, 20]]
    assert track_annotation(first)['areas'] == [300]


def test_scenery_hides_but_is_not_annotated():
    behind = box_thing(19.5, 19.5, 10, 10)
    post = box_thing(14.5, 19.5, 7, 40, label=None)  # columns 8 to 21
    tracks = scene_tracks(scene_of(behind, post), small_config())
    assert [track.label for track in tracks] == [0]
    assert tracks[0].hidden.tolist() == [pytest.approx(0.6)]
    assert track_annotation(tracks[0])['occlusion'] == ['severe_occlusion']


def test_what_is_outside_the_frame_does_not_count_as_hidden():
    thing = box_thing(-0.5, 19.5, 10, 10)  # columns 0 to 9 are left
    (track,) = scene_tracks(scene_of(thing), small_config())
    assert track.masks[0].sum() == 200
    assert track.hidden.tolist() == [0]


def test_an_object_that_leaves_and_comes_back_is_one_track():
    thing = box_thing(29.5, 19.5, 5, 5, trip=(60.0, 0.0), trip_time=(0.5, 3.5), label=2)
    (track,) = scene_tracks(scene_of(thing), small_config(num_frames=5))
    assert track.present.tolist() == [True, True, False, True, True]
    entry = track_annotation(track)
    assert entry['category_id'] == 3
    for field in ('segmentations', 'bboxes', 'areas', 'occlusion'):
        assert [x is None for x in entry[field]] == [0, 0, 1, 0, 0]
    assert entry['bboxes'][0] == [25, 15, 10, 10]
    assert entry['bboxes'][1][0] > 50


def test_an_object_never_seen_is_no_track():
    hidden = box_thing(19.5, 19.5, 3, 3)
    before = box_thing(19.5, 19.5, 9, 9, label=1)
    tracks = scene_tracks(scene_of(hidden, before), small_config())
    assert [track.label for track in tracks] == [1]


def test_few_visible_pixels_count_as_absent():
    full = np.zeros((2, 4, 4), bool)
    full[0, :2] = full[1, 0, :3] = True
    track = make_track(0, full, full, min_visible=4)
    assert track.present.tolist() == [True, False]
    assert not track.masks[1].any()
    assert make_track(0, full, full, min_visible=9) is None


@pytest.mark.parametrize(
    'hidden, word',
    [
        (0.0, 'no_occlusion'),
        (0.02, 'no_occlusion'),
        (0.03, 'slight_occlusion'),
        (0.5, 'slight_occlusion'),
        (0.51, 'severe_occlusion'),
        (float('nan'), None),
    ],
)
def test_occlusion_words(hidden, word):
    assert occlusion_word(hidden) == word


# --- motion and pictures ---------------------------------------------------


def test_transforms_by_hand():
    path = Trajectory((10.0, 20.0), (Swing(4.0, np.pi / 2), Swing()), (2.0, 3.0), np.pi / 2)
    # a quarter turn takes the own x axis to y, the own y axis to -x
    assert path.transform(0) == pytest.approx(np.array([[0, -3, 10], [2, 0, 20]]))
    assert path.position(1).tolist() == [14, 20]
    camera = Camera((5.0, 5.0), (Swing(2.0, 1.0, np.pi / 2), Swing()))
    # a camera that looks to the right moves things to the left
    assert camera.transform(0) == pytest.approx(np.array([[1, 0, -2], [0, 1, 0]]))


def test_picture_shows_a_thing_where_its_mask_is():
    thing = box_thing(20.3, 19.8, 8, 6, angle=0.4, colour=200.0)
    scene = scene_of(thing)
    (track,) = scene_tracks(scene, small_config())
    picture = render_frame(scene, 0, 40, 60)[..., 0]
    inner = cv2.erode(track.masks[0].astype(np.uint8), np.ones((3, 3)))
    outer = cv2.dilate(track.masks[0].astype(np.uint8), np.ones((3, 3)))
    assert (picture[inner > 0] == 200).all()
    assert (picture[outer == 0] == 0).all()
    # neither wider nor narrower
    assert picture.sum() / 200 == pytest.approx(track.masks.sum(), rel=0.02)


def test_open_shutter_smears_along_the_movement_only():
    moving = box_thing(29.5, 19.5, 8, 8, swing=(Swing(20.0, 0.4), Swing()), colour=200.0)
    sharp = scene_of(moving)
    blurred = Scene(sharp.things, sharp.camera, sharp.background, shutter=1.0)
    sharp_picture, picture = (render_frame(s, 0, 40, 60)[..., 0] for s in (sharp, blurred))
    grey = (picture > 0) & (picture < 200)
    # 8 pixels a frame: soft ramps of about 8 columns on either side
    assert grey[19].sum() == pytest.approx(16, abs=3)
    assert not grey[:10].any()
    assert (sharp_picture[19] == 200).sum() == 16
