"""The sample matcher on cases that fit on paper."""

import pytest
import torch
from mmengine.structures import InstanceData

from mmcico.models import CircumscribedAssigner
from mmcico.models.task_modules.circumscribed_assigner import (
    best_prior_of_each,
    on_crowd,
    window_boxes,
)


def ground_truth(boxes, visible, labels):
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float),
        visible=torch.tensor(visible),
        labels=torch.tensor(labels),
    )


def priors(*boxes):
    return torch.tensor(boxes, dtype=torch.float)


def assign(anchors, gt, crowd=None, query_frame=0, assigner=None):
    """Anchors of one query frame: g + 1, 0 or -1."""
    crowds = [torch.zeros(0, 4) if crowd is None else crowd] * gt.bboxes.shape[1]
    assigner = assigner or CircumscribedAssigner()
    return assigner.assign_frames(anchors, gt, crowds, [query_frame])[0].tolist()


def test_window_reaches_one_frame_to_each_side():
    boxes = torch.tensor([[[0.0, 0, 1, 1], [2, 0, 3, 1], [4, 0, 5, 1], [9, 0, 10, 1]]])
    seen = torch.ones(1, 4, dtype=torch.bool)
    assert window_boxes(boxes, seen, [0, 2], 1)[:, 0].tolist() == [[0, 0, 3, 1], [2, 0, 10, 1]]
    assert window_boxes(boxes, seen, [2], 0).tolist() == [[[4, 0, 5, 1]]]
    seen[0, 3] = False
    assert window_boxes(boxes, seen, [2], 1).tolist() == [[[2, 0, 5, 1]]]


def test_moving_object_takes_a_wider_anchor():
    gt = ground_truth([[[0, 0, 10, 10], [10, 0, 20, 10], [20, 0, 30, 10]]], [[True] * 3], [3])
    anchors = priors([0, 0, 10, 10], [0, 0, 20, 10], [0, 0, 30, 10], [50, 50, 60, 60])
    # IoU with 20 x 10 around frame 0: 1/2, 1, 2/3, 0
    assert assign(anchors, gt) == [1, 1, 1, 0]
    # with the 10 x 10 of frame 0 alone: 1, 1/2, 1/3, 0
    assert assign(anchors, gt, assigner=CircumscribedAssigner(reach=0)) == [1, 1, 0, 0]
    # with 30 x 10 around frame 1: 1/3, 2/3, 1, 0; one frame of reach is one to each side
    assert assign(anchors, gt, query_frame=1) == [0, 1, 1, 0]
    # the third frame is two away from the first: with reach 2, 30 x 10
    assert assign(anchors, gt, assigner=CircumscribedAssigner(reach=2)) == [0, 1, 1, 0]


def test_all_query_frames_at_once_equal_one_after_the_other():
    g = torch.Generator().manual_seed(0)
    low = torch.rand(5, 4, 2, generator=g) * 40
    boxes = torch.cat([low, low + 4 + torch.rand(5, 4, 2, generator=g) * 20], dim=-1)
    gt = ground_truth(boxes.tolist(), (torch.rand(5, 4, generator=g) > 0.3).tolist(), [0] * 5)
    centre = torch.rand(60, 2, generator=g) * 50
    anchors = torch.cat([centre - 7, centre + 7], dim=-1)
    crowds = [torch.rand(t, 4, generator=g) * 30 + torch.tensor([0.0, 0, 30, 30]) for t in range(4)]
    assigner = CircumscribedAssigner()
    together = assigner.assign_frames(anchors, gt, crowds, range(4))
    for t in range(4):
        assert torch.equal(together[t], assigner.assign_frames(anchors, gt, crowds, [t])[0])
        shown = gt.visible[:, t].nonzero()[:, 0] + 1
        assert set(shown.tolist()) <= set(together[t].tolist())
        assert set(together[t].tolist()) <= {-1, 0, *shown.tolist()}


def test_between_the_thresholds_is_ignored():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors([0, 0, 10, 10], [0, 0, 10, 4.5], [0, 0, 10, 3.9])
    assert assign(anchors, gt) == [1, -1, 0]


def test_the_thresholds_themselves():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors(
        [0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4.99], [0, 0, 10, 4], [0, 0, 10, 3.99]
    )
    assert assign(anchors, gt) == [1, 1, -1, -1, 0]


def test_share_of_a_crowd_that_counts():
    boxes = priors([0, 0, 10, 10], [0, 0, 10, 9])
    crowd = torch.tensor([[0.0, 0, 7, 10]])
    found = on_crowd(boxes, [crowd, torch.tensor([[0.0, 0, 8, 9]]), torch.zeros(0, 4)], 0.7)
    assert found.tolist() == [[False, False], [True, True], [False, False]]
    none = ground_truth([[[50, 0, 60, 10]]], [[False]], [0])
    assert assign(boxes, none, crowd * 1.01) == [-1, -1]
    assert assign(boxes, none, crowd) == [0, 0]


def test_every_visible_object_gets_an_anchor_of_its_own():
    gt = ground_truth(
        [[[0, 0, 10, 10]], [[0, 0, 10, 9]], [[0, 0, 10, 10]]], [[True], [True], [False]], [0, 1, 2]
    )
    anchors = priors([0, 0, 10, 10], [40, 40, 50, 50])
    # the first object fits best; the second takes what is left; the third is hidden
    assert assign(anchors, gt) == [1, 2]


def test_nothing_to_see_is_background():
    none = InstanceData(
        bboxes=torch.zeros(0, 3, 4),
        visible=torch.zeros(0, 3, dtype=torch.bool),
        labels=torch.zeros(0, dtype=torch.long),
    )
    anchors = priors([0, 0, 1, 1])
    assert assign(anchors, none, query_frame=1) == [0]
    assert assign(anchors, none, torch.tensor([[0.0, 0, 1, 1]])) == [-1]


def test_anchor_on_a_crowd_is_ignored_unless_positive():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors([0, 0, 10, 10], [20, 20, 30, 30], [27, 20, 37, 30])
    assert assign(anchors, gt, torch.tensor([[0.0, 0, 30, 30]])) == [1, -1, 0]


def test_best_priors_are_those_of_the_best_pair_first():
    """Also with equal values, objects without any overlap and hidden objects."""
    g = torch.Generator().manual_seed(0)
    for trial in range(200):
        quality = (torch.rand(2, 4, 5 if trial % 2 else 3, generator=g) * 4).round() / 4
        shown = torch.rand(2, 4, generator=g) > 0.2
        found = torch.stack(best_prior_of_each(quality, shown)).T.tolist()
        expected = []
        for q in range(2):
            left = quality[q].masked_fill(~shown[q][:, None], -1)
            while left.max() >= 0:
                row, col = divmod(int(left.argmax()), left.shape[1])
                expected.append([q, row, col])
                left[row], left[:, col] = -1, -1
        assert sorted(found) == sorted(expected)


@pytest.mark.parametrize('kwargs', [dict(pos_iou_thr=0.3, neg_iou_thr=0.4), dict(reach=-1)])
def test_wrong_settings_are_named(kwargs):
    with pytest.raises(ValueError, match=list(kwargs)[0]):
        CircumscribedAssigner(**kwargs)
