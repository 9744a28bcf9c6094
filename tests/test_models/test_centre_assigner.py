"""The sample matcher of anchor-free heads on cells that fit on paper.

Cells of the fine level (side 8, four by four) have the indices 0 to 15, row
by row, with centres at 4, 12, 20 and 28; those of the coarse level (side 16)
16 to 19, with centres at 8 and 24.
"""

import pytest
import torch
from mmengine.structures import InstanceData

from mmcico.models import CentreAssigner
from mmcico.models.task_modules.centre_assigner import centre_distance, centre_inside, octaves_off

MIDDLE = [8, 8, 24, 24]  # centre (16, 16), between the cells 5, 6, 9 and 10


def grid(side, count):
    return [
        [x * side, y * side, (x + 1) * side, (y + 1) * side]
        for y in range(count)
        for x in range(count)
    ]


FINE = torch.tensor(grid(8, 4), dtype=torch.float)
BOTH = torch.tensor(grid(8, 4) + grid(16, 2), dtype=torch.float)


def objects(boxes, visible=None, labels=None):
    boxes = torch.tensor(boxes, dtype=torch.float).view(len(boxes), -1, 4)
    if visible is None:
        visible = torch.ones(boxes.shape[:2]).tolist()
    return InstanceData(
        bboxes=boxes,
        visible=torch.tensor(visible, dtype=torch.bool).view(boxes.shape[:2]),
        labels=torch.tensor(labels or [0] * len(boxes), dtype=torch.long),
    )


def assign(priors, gt, crowd=None, query_frame=0, **settings):
    """Cells of one query frame: g + 1, 0 or -1."""
    crowds = [torch.zeros(0, 4) if crowd is None else crowd] * gt.bboxes.shape[1]
    return CentreAssigner(**settings).assign_frames(priors, gt, crowds, [query_frame])[0]


def positives(found):
    """Cell -> object, from 0."""
    return {i: found[i].item() - 1 for i in (found > 0).nonzero()[:, 0].tolist()}


def test_measures_by_hand():
    cells = torch.tensor([[0.0, 0, 8, 8], [0, 0, 16, 16]])
    box = torch.tensor([[12.0, 8, 16, 12]])  # centre (14, 10), size 4
    # from (4, 4): (10, 6) pixels; from (8, 8): (6, 2)
    assert centre_distance(cells, box)[0].tolist() == pytest.approx([136**0.5 / 8, 40**0.5 / 16])
    # meant for 2 sides: 16 and 32 pixels
    assert octaves_off(cells, box, 2)[0].tolist() == [2, 3]
    inside = centre_inside(cells, torch.tensor([[3.0, 0, 9, 8], [8, 8, 9, 9]]))
    assert inside.tolist() == [[True, False], [False, False]]


def test_cells_near_the_middle_are_positive():
    result = assign(FINE, objects([MIDDLE]), cells=2)
    assert positives(result) == {5: 0, 6: 0, 9: 0, 10: 0}


def test_closeness_by_hand():
    box = torch.tensor(MIDDLE, dtype=torch.float)[None, None]
    matched = CentreAssigner(cells=2).match(FINE, box, box, torch.ones(1, 1, dtype=torch.bool))
    # 0.5 sides off in x and y
    assert matched.quality[0, 0, 5].item() == pytest.approx(1 / (1 + 0.5**0.5))


def test_radius_and_box_both_limit():
    wide = objects([[0, 12, 32, 20]])  # centres 12 and 20 are on its edge
    assert positives(assign(FINE, wide, cells=2)) == {5: 0}
    wide = objects([[0, 11, 32, 21]])
    near = assign(FINE, wide, cells=2, radius=1)
    assert set(positives(near)) == {5, 6, 9, 10}
    far = assign(FINE, wide, cells=2, radius=1.6)
    assert set(positives(far)) == set(range(4, 12))  # 1.5 and 0.5 away


def test_level_follows_the_size():
    gt = objects([MIDDLE])  # of 16 pixels: right for fine, an octave off
    one = assign(BOTH, gt, cells=2, octaves=0.5, radius=1)
    assert set(positives(one)) == {5, 6, 9, 10}
    # centres of coarse cells are at 8 and 24: on the box's edge
    gt = objects([[7, 7, 25, 25]])
    two = assign(BOTH, gt, cells=2, octaves=1, radius=1)
    assert set(positives(two)) == {5, 6, 9, 10, 16, 17, 18, 19}
    large = assign(BOTH, gt, cells=0.5, octaves=0.5)
    # too large for both by far: the coarse level is the best there is
    assert set(positives(large)) == {16, 17, 18, 19}


def test_size_is_of_the_circumscribed_box_and_place_of_the_query_frame():
    gt = objects([[[0, 0, 16, 16], [16, 0, 32, 16]]])  # circumscribes 32 x 16
    settings = dict(cells=2, octaves=0.6, radius=1)
    plain = assign(BOTH, gt, reach=0, **settings)
    assert set(positives(plain)) == {0, 1, 4, 5}
    # half an octave from both levels
    wide = assign(BOTH, gt, reach=1, **settings)
    assert set(positives(wide)) == {0, 1, 4, 5, 16}
    later = assign(BOTH, gt, query_frame=1, **settings)
    assert set(positives(later)) == {2, 3, 6, 7, 17}


def test_hidden_objects_are_not_matched():
    gt = objects(
        [[MIDDLE, MIDDLE], [[0, 0, 8, 8], [0, 0, 8, 8]]], visible=[[False, True], [True, False]]
    )
    assert positives(assign(FINE, gt, query_frame=0, cells=2)) == {0: 1}
    assert set(positives(assign(FINE, gt, query_frame=1, cells=2))) == {5, 6, 9, 10}


def test_hidden_frames_do_not_widen_the_window():
    gt = objects([[[0, 0, 16, 16], [16, 0, 32, 16]]], visible=[[True, False]])
    result = assign(BOTH, gt, cells=2, octaves=0.6, radius=1)
    assert set(positives(result)) == {0, 1, 4, 5}


def test_the_smaller_object_takes_a_cell_that_two_want():
    gt = objects([[0, 0, 32, 32], MIDDLE])
    result = assign(FINE, gt, radius=1.6, octaves=2, cells=4)
    found = positives(result)
    assert [found[i] for i in (5, 6, 9, 10)] == [0, 1, 1, 1]
    # the large one keeps the others within 1.6 cells, and one of its own
    assert all(found[i] == 0 for i in (1, 2, 4, 7, 8, 11, 13, 14))
    assert set(found) == {1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14}


def test_every_visible_object_gets_a_cell_of_its_own():
    gt = objects([MIDDLE, MIDDLE, MIDDLE])
    found = positives(assign(FINE, gt, cells=2))
    assert set(found) == {5, 6, 9, 10}
    assert set(found.values()) == {0, 1, 2}
    # no centre of a cell lies in it: one of the four cells around takes it
    speck = objects([[7, 7, 9, 9]])
    found = positives(assign(FINE, speck))
    assert len(found) == 1 and set(found) <= {0, 1, 4, 5}


def test_more_objects_than_cells():
    one = FINE[:1]
    gt = objects([MIDDLE, [0, 0, 8, 8]])
    assert positives(assign(one, gt)) == {0: 1}


def test_nothing_to_see_is_background():
    none = InstanceData(
        bboxes=torch.zeros(0, 3, 4),
        visible=torch.zeros(0, 3, dtype=torch.bool),
        labels=torch.zeros(0, dtype=torch.long),
    )
    result = assign(FINE, none, query_frame=1)
    assert result.tolist() == [0] * 16


def test_cells_on_a_crowd_are_ignored_unless_positive():
    crowd = torch.tensor([[0.0, 8, 16, 16]])
    found = assign(FINE, objects([MIDDLE]), crowd, cells=2)
    assert found[4:8].tolist() == [-1, 1, 1, 0]
    alone = assign(FINE, objects([MIDDLE], visible=[[False]]), crowd)
    assert alone[4:8].tolist() == [-1, -1, 0, 0]


@pytest.mark.parametrize(
    'kwargs', [dict(radius=0), dict(cells=-1), dict(octaves=-0.1), dict(reach=-1)]
)
def test_wrong_settings_are_named(kwargs):
    with pytest.raises(ValueError, match=list(kwargs)[0]):
        CentreAssigner(**kwargs)
