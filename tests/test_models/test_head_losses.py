"""Means of the prediction heads' losses, by hand."""

import math

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmcico.models import CiCoHead
from mmcico.models.heads.clip_losses import HeadLosses
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs

CODER = dict(type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2))
ANCHORS = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 4.5], [50, 50, 60, 60], [50, 0, 60, 10]])


def head_losses(**losses):
    init_default_scope('mmdet')
    return HeadLosses(
        num_classes=2,
        assigner=dict(type='mmcico.CircumscribedAssigner'),
        bbox_coder=CODER,
        **losses,
    )


def clip(num_frames=2):
    """One still object of class 1 on the first anchor."""
    box = torch.tensor([0.0, 0, 10, 10]).expand(1, num_frames, 4)
    return ClipGroundTruth(
        InstanceData(
            bboxes=box,
            visible=torch.ones(1, num_frames, dtype=torch.bool),
            labels=torch.tensor([1]),
            instances_id=torch.tensor([5]),
        ),
        crowds=(torch.tensor([[50.0, 50, 60, 60]]),) * num_frames,
        video_id='a',
    )


def outputs(channels, num_frames=2, delta=0.5):
    g = torch.Generator().manual_seed(0)
    size = (1, num_frames, len(ANCHORS))
    return ClipOutputs(
        cls_scores=torch.randn(*size, channels, generator=g),
        bbox_deltas=torch.full((*size, num_frames, 4), delta),
        mask_params=torch.zeros(*size, 3),
        embeds=torch.ones(*size, 1),
        priors=ANCHORS,
    )


@pytest.mark.parametrize('num_frames', [1, 2, 5])
def test_box_loss_is_a_mean_over_positives_and_frames(num_frames):
    # four deltas of 0.5 where 0 is right: 4 * 0.5 ** 2 / 2
    losses, positives = head_losses()(outputs(3, num_frames), [clip(num_frames)], range(num_frames))
    assert len(positives.gt) == num_frames
    assert losses['loss_bbox'].item() == pytest.approx(0.5)


def test_ignored_rows_teach_no_class():
    """Neither those between the thresholds nor those on crowds."""
    out = outputs(2)
    out.cls_scores.requires_grad_()
    losses, _ = head_losses(loss_cls=dict(type='FocalLoss'))(out, [clip()], range(2))
    losses['loss_cls'].backward()
    used = out.cls_scores.grad.abs().sum(dim=-1) > 0
    assert used.tolist() == [[[True, False, False, True]] * 2]


def test_weights_when_nothing_is_said():
    """Class and box 1, track 5 (the mask loss is tested with itself)."""
    losses = head_losses()
    assert losses.loss_cls.loss_weight == losses.loss_bbox.loss_weight == 1
    assert losses.loss_track.loss_weight == 5


def test_centerness_learns_the_fit_of_boxes():
    head = head_losses(loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True))
    out = outputs(3, delta=0.0)._replace(centerness=torch.full((1, 2, len(ANCHORS)), 2.0))
    losses, _ = head(out, [clip()], range(2))
    # boxes are right: the target is 1
    expected = math.log(1 + math.exp(-2))
    assert losses['loss_centerness'].item() == pytest.approx(expected)


def test_head_when_nothing_is_said():
    """The paper's towers; anchors of 3 cells, width : height 1, 1/2, 2."""
    head = CiCoHead(num_classes=2, in_channels=4, num_mask_params=3, towers=dict(channels=4))
    levels = [torch.zeros(3, 4, 2, 2)] + [torch.zeros(3, 4, 1, 1)] * 4
    first = head.priors(levels)[:3]
    sides = (first[:, 2:] - first[:, :2]).tolist()
    short, long = 24 / 2**0.5, 24 * 2**0.5
    assert sides[0] == [24, 24]
    assert sides[1] == pytest.approx([short, long])
    assert sides[2] == pytest.approx([long, short])
    assert (first[:, :2] + first[:, 2:]).tolist() == [[8, 8]] * 3
    towers = (head.cls_tower, head.box_tower, head.track_tower)
    assert [tower.conv for tower in towers] == ['2d', '3d', '3d']
    assert [len(tower.convs) for tower in towers] == [4, 4, 4]
    assert head.losses.bbox_coder.stds == (0.1, 0.1, 0.2, 0.2)
