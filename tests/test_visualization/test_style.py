"""Trails, circumscribed boxes and styles, by hand."""

import numpy as np
import pytest

from mmcico.visualization import DrawnObject, draw_objects, track_colour
from mmcico.visualization.draw import draw_dashes_, mask_box
from mmcico.visualization.style import (
    DrawStyle,
    TrackHistory,
    draw_frame,
    resized,
    union,
    with_history,
)

IMAGE = np.full((40, 60, 3), 100, np.uint8)


def item(track, x, y=10, side=5):
    """A square of 5 x 5 whose first pixel is at (x, y)."""
    mask = np.zeros((40, 60), bool)
    mask[y : y + side, x : x + side] = True
    return DrawnObject(track, mask)


def run(frames, style):
    return list(with_history([(IMAGE, each) for each in frames], style))


def test_a_trail_has_the_last_centres():
    frames = [[item(1, x)] for x in (0, 10, 20, 30)]
    found = run(frames, DrawStyle(trail=3))
    # the pixels 0..4 reach from 0 to 5
    assert [objects[0].trail for _, objects in found] == [
        ((2.5, 12.5),),
        ((2.5, 12.5), (12.5, 12.5)),
        ((2.5, 12.5), (12.5, 12.5), (22.5, 12.5)),
        ((12.5, 12.5), (22.5, 12.5), (32.5, 12.5)),
    ]


def test_a_trail_goes_on_after_a_gap_and_is_forgotten_after_a_long_one():
    frames = [[item(1, 0)], [item(2, 30)], [item(1, 20)]]
    assert run(frames, DrawStyle(trail=3))[2][1][0].trail == ((2.5, 12.5), (22.5, 12.5))
    assert run(frames, DrawStyle(trail=2))[2][1][0].trail == ((22.5, 12.5),)


def test_a_given_box_decides_the_centre():
    given = DrawnObject(1, item(1, 0).mask, box=(10.0, 20.0, 20.0, 24.0))
    ((_, (drawn,)),) = run([[given]], DrawStyle(trail=1, circumscribed=True))
    assert drawn.trail == ((15, 22),)
    assert drawn.circumscribed == (10, 20, 20, 24)


def test_circumscribed_boxes_cover_the_neighbours():
    frames = [[item(1, x, y)] for x, y in ((0, 0), (10, 5), (20, 2), (30, 9))]
    found = run(frames, DrawStyle(circumscribed=True))
    assert [objects[0].circumscribed for _, objects in found] == [
        (0, 0, 15, 10),
        (0, 0, 25, 10),
        (10, 2, 35, 14),
        (20, 2, 35, 14),
    ]


def test_circumscribed_boxes_leave_out_frames_without_the_object():
    frames = [[item(1, 0)], [], [item(1, 20), item(2, 40)], [item(2, 50)]]
    found = run(frames, DrawStyle(circumscribed=True))
    assert [[each.circumscribed for each in objects] for _, objects in found] == [
        [(0, 10, 5, 15)],
        [],
        [(20, 10, 25, 15), (40, 10, 55, 15)],
        [(40, 10, 55, 15)],
    ]


def test_frames_keep_their_order_and_images():
    images = [np.full((40, 60, 3), value, np.uint8) for value in range(5)]
    for style in (DrawStyle(), DrawStyle(trail=2), DrawStyle(circumscribed=True)):
        found = list(with_history(((each, []) for each in images), style))
        assert [image[0, 0, 0] for image, _ in found] == [0, 1, 2, 3, 4]
    assert list(with_history([], DrawStyle(circumscribed=True))) == []


def test_history_is_bounded():
    history = TrackHistory(DrawStyle(trail=4, circumscribed=True))
    for number in range(50):
        history.push(IMAGE, [item(number, 5), item(1000, 20)])
    assert len(history._centres) == 4
    assert set(history._before) == {48, 1000}
    assert set(history._held[1]) == {49, 1000}


def test_an_object_without_pixels_has_no_box():
    empty = DrawnObject(3, np.zeros((40, 60), bool))
    ((_, (drawn,)),) = run([[empty]], DrawStyle(trail=2, circumscribed=True))
    assert drawn.trail == () and drawn.circumscribed is None


def test_union_by_hand():
    assert union([(1, 2, 3, 4), (0, 3, 2, 9)]) == (0, 2, 3, 9)


def test_trails_and_dashes_are_drawn():
    one = item(1, 20)
    plain = draw_objects(IMAGE, [one], labels=False)
    far = DrawnObject(1, one.mask, circumscribed=(40, 25, 55, 35), trail=((5, 30), (30, 30)))
    drawn = draw_objects(IMAGE, [far], labels=False)
    colour = track_colour(1)
    assert tuple(drawn[30, 15].tolist()) == colour
    assert tuple(drawn[25, 41].tolist()) == colour
    changed = np.flatnonzero((drawn != plain).any(axis=(0, 2)))
    assert changed.min() >= 3 and changed.max() == 55


def test_dashes_have_gaps_and_end_at_the_corners():
    image = np.zeros((30, 40, 3), np.uint8)
    draw_dashes_(image, (2.2, 3.0, 32.0, 20.0), (9, 9, 9), 1)
    row = image[3, :, 0] == 9
    assert row[2:9].all() and not row[9:14].any() and row[14:21].all()
    assert not image[:, 33:].any() and not image[21:].any()
    assert not image[4:20, 3:32].any()


def test_enlarging_moves_boxes_and_trails():
    start = DrawnObject(
        1, item(1, 20).mask, box=(1, 2, 3, 4), circumscribed=(1, 1, 5, 5), trail=((2, 3),)
    )
    _, (large,) = resized(IMAGE, [start], 3)
    assert large.box == (3, 6, 9, 12) and large.circumscribed == (3, 3, 15, 15)
    assert large.trail == ((6, 9),)


def test_circumscribed_boxes_go_around_enlarged_masks():
    ((_, (drawn,)),) = run([[item(1, 20)]], DrawStyle(circumscribed=True))
    _, (large,) = resized(IMAGE, [drawn], 4)
    x0, y0, x1, y1 = mask_box(large.mask)
    # boxes reach to the far side of the last pixel
    assert large.circumscribed == (x0, y0, x1 + 1, y1 + 1)


def test_boxes_that_reach_the_edge_are_seen():
    corner = DrawnObject(1, item(1, 55, 35).mask, box=(54.6, 34.7, 60.0, 40.0))
    drawn = draw_objects(IMAGE, [corner], opacity=0, boxes=True, labels=False, contours=False)
    colour = list(track_colour(1))
    assert (drawn[39, 55:] == colour).all()
    assert (drawn[35:, 59] == colour).all()


def test_long_frames_are_not_enlarged_beyond_what_encoders_take():
    for height, width, factor in ((7, 500, 8), (2, 5000, 1), (1, 1, 320)):
        image = np.zeros((height, width, 3), np.uint8)
        drawn = draw_frame(image, [], DrawStyle())
        assert drawn.shape[:2] == (height * factor, width * factor)


def test_contours_can_be_left_out():
    style = DrawStyle(opacity=0.0, labels=False, min_side=1, contours=False)
    assert (draw_frame(IMAGE, [item(1, 20)], style) == IMAGE).all()
    outlined = draw_frame(IMAGE, [item(1, 20)], DrawStyle(opacity=0.0, labels=False, min_side=1))
    # the border of a square of 5 x 5
    assert (outlined != IMAGE).any(axis=2).sum() == 16


def test_looking_at_a_part_only_draws_what_the_whole_would_show():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    mask = rng.random((40, 60)) < 0.3  # reaches all edges, has holes
    drawn = draw_objects(image, [DrawnObject(2, mask)], 0.25, labels=False, contours=False)
    expected = image.copy()
    expected[mask] = np.rint(image[mask] * 0.75 + np.array(track_colour(2)) * 0.25)
    assert (drawn == expected).all()


@pytest.mark.parametrize('bad', [dict(opacity=1.5), dict(opacity=-0.1), dict(trail=-1)])
def test_bad_styles_are_refused(bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f'{name} is'):
        DrawStyle(**bad)


def test_the_former_name_of_circumscribed_boxes():
    with pytest.warns(DeprecationWarning, match='is now called "circumscribed"'):
        style = DrawStyle(enclosing=True)
    assert style == DrawStyle(circumscribed=True)
