"""Boxes as distances from a cell, worked out by hand."""

import pytest
import torch
from mmdet.models.task_modules import AnchorGenerator

from mmcico.models import CellDistanceCoder

CELL = torch.tensor([[8.0, 8, 16, 16]])  # centre (12, 12), side 8


def test_distances_are_in_sides_of_the_cell():
    coder = CellDistanceCoder(base=0)
    # left 12, top 8, right 16, bottom 8 pixels
    around = coder.encode(CELL, torch.tensor([[0.0, 4, 28, 20]]))
    assert around.tolist() == [[1.5, 1, 2, 1]]
    # an object that has gone to the right: its left edge is beyond the cell
    gone = coder.encode(CELL, torch.tensor([[20.0, 8, 28, 16]]))
    assert gone.tolist() == [[-1, 0.5, 2, 0.5]]


def test_zero_stands_for_a_box_of_twice_the_base():
    boxes = CellDistanceCoder(base=2).decode(CELL, torch.zeros(1, 4))
    assert boxes.tolist() == [[-4, -4, 28, 28]]


def test_decode_undoes_encode_at_every_cell_size():
    torch.manual_seed(0)
    low = torch.randint(-40, 40, (50, 2)).float()
    cells = torch.cat([low, low + 2.0 ** torch.randint(2, 7, (50, 1))], dim=1)
    corner = torch.rand(50, 2) * 100 - 20
    boxes = torch.cat([corner, corner + torch.rand(50, 2) * 90], dim=1)
    for base in (0, 2.5):
        coder = CellDistanceCoder(base)
        again = coder.decode(cells, coder.encode(cells, boxes))
        assert torch.allclose(again, boxes, atol=1e-4)


def test_edges_are_put_in_order_and_keep_their_gradient():
    values = torch.tensor([[-3.0, 1, 1, 1]], requires_grad=True)
    boxes = CellDistanceCoder(base=0).decode(CELL, values)
    # left edge at 12 + 24, right edge at 12 + 8: they change places
    assert boxes.tolist() == [[20, 4, 36, 20]]
    boxes[0, 2].backward()
    assert values.grad.tolist() == [[-8, 0, 0, 0]]


def test_one_scale_and_one_ratio_make_the_cells_of_the_map():
    cells = AnchorGenerator(
        scales=[1], ratios=[1.0], strides=[8, 16], center_offset=0.5
    ).grid_priors([(2, 3), (1, 2)], device='cpu')
    assert cells[0].tolist() == [
        [0, 0, 8, 8],
        [8, 0, 16, 8],
        [16, 0, 24, 8],
        [0, 8, 8, 16],
        [8, 8, 16, 16],
        [16, 8, 24, 16],
    ]
    assert cells[1].tolist() == [[0, 0, 16, 16], [16, 0, 32, 16]]


def test_no_boxes_are_no_values():
    coder = CellDistanceCoder()
    none = torch.zeros(0, 4)
    assert coder.encode(none, none).shape == (0, 4)
    assert coder.decode(none, none).shape == (0, 4)


def test_negative_base_is_named():
    with pytest.raises(ValueError, match='base'):
        CellDistanceCoder(base=-1)
