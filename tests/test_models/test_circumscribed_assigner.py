"""The sample matcher on cases that fit on paper."""

import pytest
import torch
from mmengine.structures import InstanceData

from mmcico.models import CircumscribedAssigner
from mmcico.models.task_modules.query_frame_assigner import (
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
    return InstanceData(priors=torch.tensor(boxes, dtype=torch.float))


def test_window_reaches_one_frame_to_each_side():
    boxes = torch.tensor([[[0.0, 0, 1, 1], [2, 0, 3, 1], [4, 0, 5, 1], [9, 0, 10, 1]]])
    seen = torch.ones(1, 4, dtype=torch.bool)
    assert window_boxes(boxes, seen, 0, 1).tolist() == [[0, 0, 3, 1]]
    assert window_boxes(boxes, seen, 2, 1).tolist() == [[2, 0, 10, 1]]
    assert window_boxes(boxes, seen, 2, 0).tolist() == [[4, 0, 5, 1]]
    seen[0, 3] = False
    assert window_boxes(boxes, seen, 2, 1).tolist() == [[2, 0, 5, 1]]


def test_moving_object_takes_a_wider_anchor():
    gt = ground_truth([[[0, 0, 10, 10], [10, 0, 20, 10]]], [[True, True]], [3])
    anchors = priors([0, 0, 10, 10], [0, 0, 20, 10], [50, 50, 60, 60])
    result = CircumscribedAssigner().assign(anchors, gt, query_frame=0)
    assert result.gt_inds.tolist() == [1, 1, 0]  # 0.5, 1.0, 0.0
    assert result.labels.tolist() == [3, 3, -1]
    plain = CircumscribedAssigner(reach=0).assign(anchors, gt, query_frame=0)
    assert plain.gt_inds.tolist() == [1, 1, 0]  # 1.0, 0.5, 0.0
    assert plain.max_overlaps.tolist() == [1.0, 0.5, 0.0]


def test_between_the_thresholds_is_ignored():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors([0, 0, 10, 10], [0, 0, 10, 4.5], [0, 0, 10, 3.9])
    result = CircumscribedAssigner().assign(anchors, gt)
    assert result.gt_inds.tolist() == [1, -1, 0]


def test_the_thresholds_themselves():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors(
        [0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4.99], [0, 0, 10, 4], [0, 0, 10, 3.99]
    )
    result = CircumscribedAssigner().assign(anchors, gt)
    assert result.gt_inds.tolist() == [1, 1, -1, -1, 0]


def test_share_of_a_crowd_that_counts():
    boxes = priors([0, 0, 10, 10], [0, 0, 10, 9]).priors
    crowd = torch.tensor([[0.0, 0, 7, 10]])
    assert on_crowd(boxes, crowd, 0.7).tolist() == [False, False]
    assert on_crowd(boxes, torch.tensor([[0.0, 0, 8, 9]]), 0.7).tolist() == [True, True]
    none = ground_truth([[[50, 0, 60, 10]]], [[False]], [0])
    result = CircumscribedAssigner().assign(
        InstanceData(priors=boxes), none, InstanceData(bboxes=crowd * 1.01)
    )
    assert result.gt_inds.tolist() == [-1, -1]
    result = CircumscribedAssigner().assign(
        InstanceData(priors=boxes), none, InstanceData(bboxes=crowd)
    )
    assert result.gt_inds.tolist() == [0, 0]


def test_every_visible_object_gets_an_anchor_of_its_own():
    gt = ground_truth(
        [[[0, 0, 10, 10]], [[0, 0, 10, 9]], [[0, 0, 10, 10]]], [[True], [True], [False]], [0, 1, 2]
    )
    anchors = priors([0, 0, 10, 10], [40, 40, 50, 50])
    result = CircumscribedAssigner().assign(anchors, gt)
    # the first object fits best; the second takes what is left; the third
    # is not to be seen
    assert result.gt_inds.tolist() == [1, 2]
    assert result.labels.tolist() == [0, 1]


def test_nothing_to_see_is_background():
    none = ground_truth([], [], [])
    none = InstanceData(
        bboxes=torch.zeros(0, 3, 4),
        visible=torch.zeros(0, 3, dtype=torch.bool),
        labels=torch.zeros(0, dtype=torch.long),
    )
    result = CircumscribedAssigner().assign(priors([0, 0, 1, 1]), none, query_frame=1)
    assert result.gt_inds.tolist() == [0]


def test_anchor_on_a_crowd_is_ignored_unless_positive():
    gt = ground_truth([[[0, 0, 10, 10]]], [[True]], [0])
    anchors = priors([0, 0, 10, 10], [20, 20, 30, 30], [27, 20, 37, 30])
    crowd = InstanceData(bboxes=torch.tensor([[0.0, 0, 30, 30]]))
    result = CircumscribedAssigner().assign(anchors, gt, crowd)
    assert result.gt_inds.tolist() == [1, -1, 0]
    assert not on_crowd(anchors.priors, torch.zeros(0, 4), 0.7).any()


def test_best_priors_do_not_depend_on_the_order_of_objects():
    overlaps = torch.tensor([[0.9, 0.8, 0.1], [0.95, 0.2, 0.3], [0.1, 0.1, 0.2]])
    gts, anchors = best_prior_of_each(overlaps)
    found = dict(zip(gts.tolist(), anchors.tolist()))
    assert found == {1: 0, 0: 1, 2: 2}
    gts, anchors = best_prior_of_each(overlaps[[2, 0, 1]])
    assert dict(zip(gts.tolist(), anchors.tolist())) == {2: 0, 1: 1, 0: 2}


@pytest.mark.parametrize('kwargs', [dict(pos_iou_thr=0.3, neg_iou_thr=0.4), dict(reach=-1)])
def test_wrong_settings_are_named(kwargs):
    with pytest.raises(ValueError, match=list(kwargs)[0]):
        CircumscribedAssigner(**kwargs)
