"""Drawing on small arrays, pixel by pixel."""

import warnings

import numpy as np
import pytest

from mmcico.visualization import DrawnObject, contact_sheet, draw_objects, track_colour
from mmcico.visualization.draw import blend_mask_, draw_contour_, draw_text_, mask_box


def mask_of(rows, cols, size=(20, 30)):
    mask = np.zeros(size, bool)
    mask[rows, cols] = True
    return mask


def grey(size=(20, 30)):
    return np.full((*size, 3), 100, np.uint8)


def test_colours_are_stable_and_distinct():
    # hue 0, saturation .85: blue = green = 255 * .15 = 38.25
    assert track_colour(0) == (38, 38, 255)
    colours = [track_colour(i) for i in range(30)]
    assert colours == [track_colour(i) for i in range(30)]
    assert len(set(colours)) == 30
    for first, second in zip(colours, colours[1:]):
        assert np.abs(np.subtract(first, second)).sum() > 150


def test_large_ids_have_colours_of_their_own():
    # 1836311903 steps by the golden ratio are 1134903170 turns of the colour circle
    assert track_colour(3 * 1836311903 * 21) == track_colour(0)
    assert len({track_colour(10**17 + 7 * i) for i in range(30)}) == 30


@pytest.mark.parametrize('version, is_told', [('4.12.0', True), ('5.0.0', False)])
def test_names_that_opencv_cannot_draw_are_told_once(monkeypatch, version, is_told):
    monkeypatch.setattr('cv2.__version__', version)
    item = DrawnObject(0, mask_of(slice(2, 12), slice(2, 12)), f'chien né en {version}')
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        draw_objects(grey(), [item, item])
        draw_objects(grey(), [item])
    assert [f'the class "{item.name}" is drawn with' in str(each.message) for each in told] == (
        [True] * is_told
    )


def test_blend_by_hand():
    image = grey()
    blend_mask_(image, mask_of(slice(2, 4), slice(5, 8)), (200, 0, 101), 0.25)
    # 100 * .75 + 200 * .25 = 125; 75; 75 + 25.25 = 100.25
    assert (image[2:4, 5:8] == (125, 75, 100)).all()
    image[2:4, 5:8] = 100
    assert (image == 100).all()


def test_contour_runs_along_the_edge_of_parts_and_holes():
    mask = mask_of(slice(2, 11), slice(2, 11))
    mask[5:8, 5:8] = False
    mask[15:17, 20:22] = True
    image = grey()
    draw_contour_(image, mask, (1, 2, 3))
    drawn = (image == (1, 2, 3)).all(axis=2)
    assert drawn[2, 2:11].all() and drawn[2:11, 10].all()
    assert drawn[15:17, 20:22].all()
    assert drawn[4, 5:8].all()  # the mask's pixels around the hole
    assert not drawn[6, 6]
    assert not drawn[~mask].any()


def test_mask_box_is_tight():
    assert mask_box(mask_of(slice(3, 6), slice(7, 8))) == (7, 3, 7, 5)
    assert mask_box(np.zeros((4, 4), bool)) is None


def test_objects_are_drawn_on_a_copy():
    image = grey()
    mask = mask_of(slice(4, 12), slice(6, 16))
    drawn = draw_objects(image, [DrawnObject(0, mask)], 0.5, labels=False)
    assert (image == 100).all()
    # (100 + 38) / 2 and (100 + 255) / 2, rounded to even
    assert drawn[8, 10].tolist() == [69, 69, 178]
    assert drawn[4, 6].tolist() == [38, 38, 255]
    assert (drawn[~mask] == 100).all()


def test_later_objects_lie_above():
    first = DrawnObject(0, mask_of(slice(2, 12), slice(2, 12)))
    second = DrawnObject(1, mask_of(slice(2, 12), slice(2, 12)))
    drawn = draw_objects(grey(), [first, second], 1.0, labels=False)
    assert tuple(drawn[6, 6].tolist()) == track_colour(1)


def test_box_is_drawn_where_it_is_said():
    item = DrawnObject(3, mask_of(slice(8, 10), slice(8, 10)), box=(4.2, 5.6, 15, 14))
    plain = draw_objects(grey(), [item], labels=False)
    boxed = draw_objects(grey(), [item], labels=False, boxes=True)
    for y, x in ((6, 4), (14, 15), (6, 10), (10, 4)):
        assert plain[y, x].tolist() == [100, 100, 100]
        assert tuple(boxed[y, x].tolist()) == track_colour(3)


def test_empty_masks_and_no_objects_change_nothing():
    image = grey()
    empty = DrawnObject(0, np.zeros((20, 30), bool), 'dog', 0.9)
    assert (draw_objects(image, [empty], boxes=True) == image).all()
    assert (draw_objects(image, []) == image).all()


def test_a_mask_of_another_size_is_named():
    item = DrawnObject(4, np.zeros((20, 31), bool))
    with pytest.raises(ValueError, match=r'track 4 is \(20, 31\).*\(20, 30\)'):
        draw_objects(grey(), [item])


def test_label_says_id_class_and_score():
    mask = np.zeros((1, 1), bool)
    assert DrawnObject(3, mask, 'dog', 0.867).text == '3 dog 0.87'
    assert DrawnObject(3, mask, 'dog').text == '3 dog'
    assert DrawnObject(0, mask).text == '0'


@pytest.mark.parametrize('corner', [(0, 0), (95, 3), (50, 30), (99, 59)])
def test_text_stays_inside(corner):
    image = grey((60, 100))
    colour = (0, 0, 200)
    draw_text_(image, '7', corner, colour)
    plate = (image != 100).any(axis=2)
    rows, cols = np.flatnonzero(plate.any(1)), np.flatnonzero(plate.any(0))
    area = (rows[-1] - rows[0] + 1) * (cols[-1] - cols[0] + 1)
    assert plate.sum() == area > 50  # whole plate, nothing cut off
    assert (image == colour).all(axis=2).any()
    assert (image > 230).all(axis=2).any()  # white ink on dark red


def test_contact_sheet_by_hand():
    frames = [np.full((2, 3, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = contact_sheet(frames, 2)
    assert sheet[..., 0].tolist() == [
        [10, 10, 10, 20, 20, 20],
        [10, 10, 10, 20, 20, 20],
        [30, 30, 30, 0, 0, 0],
        [30, 30, 30, 0, 0, 0],
    ]
    assert contact_sheet(frames, 9).shape == (2, 9, 3)
    grey = [np.full((2, 3), 999, np.uint16), np.full((1, 2), 7, np.uint16)]
    assert contact_sheet(grey, 2).tolist() == [[999, 999, 999, 7, 7, 0], [999, 999, 999, 0, 0, 0]]
    with pytest.raises(ValueError, match='at least one frame'):
        contact_sheet([], 2)
