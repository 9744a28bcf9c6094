"""Means of the prediction heads' losses, by hand."""

import math

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmcico.checkpoints import ModelLayout
from mmcico.deployment.onnx_files import output_names
from mmcico.models import CiCoHead
from mmcico.models.losses import class_target
from mmcico.models.vis.clip_network import VideoState
from mmcico.registry import MODELS
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs
from mmcico.testing import clip_sample, small_model_cfg

ANCHORS = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 4.5], [50, 50, 60, 60], [50, 0, 60, 10]])


def head(num_frames=2, **losses):
    """Heads for two classes, with these losses."""
    init_default_scope('mmdet')
    towers = dict(channels=4, num_convs=1)
    return CiCoHead(
        num_classes=2,
        in_channels=4,
        num_mask_params=3,
        num_frames=num_frames,
        towers=towers,
        losses=losses,
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
    losses, positives = head(num_frames).loss(outputs(3, num_frames), [clip(num_frames)])
    assert len(positives.gt) == num_frames
    assert losses['loss_bbox'].item() == pytest.approx(0.5)


def test_ignored_rows_teach_no_class():
    """Neither predictions between the thresholds nor those on crowds."""
    out = outputs(2)
    out.cls_scores.requires_grad_()
    losses, _ = head(loss_cls=dict(type='FocalLoss')).loss(out, [clip()])
    losses['loss_cls'].backward()
    used = out.cls_scores.grad.abs().sum(dim=-1) > 0
    assert used.tolist() == [[[True, False, False, True]] * 2]


@pytest.mark.parametrize('use_sigmoid, each', [(False, math.log(3)), (True, 2 * math.log(2))])
def test_cross_entropy_as_class_loss(use_sigmoid, each):
    """Of two frames, two predictions each count (the others are ignored), and one is positive."""
    out = outputs(3 - use_sigmoid)
    out = out._replace(cls_scores=torch.zeros_like(out.cls_scores))
    heads = head(loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid))
    assert heads.loss(out, [clip()])[0]['loss_cls'].item() == pytest.approx(2 * each)


def test_weights_when_nothing_is_said():
    """Class and box 1, track 5 (the mask loss is tested with itself)."""
    losses = head().losses
    assert losses.loss_cls.loss_weight == losses.loss_bbox.loss_weight == 1
    assert losses.loss_track.loss_weight == 5


def test_centerness_learns_the_fit_of_boxes():
    heads = head(loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True))
    out = outputs(3, delta=0.0)._replace(centerness=torch.full((1, 2, len(ANCHORS)), 2.0))
    losses, _ = heads.loss(out, [clip()])
    # boxes are right: the target is 1
    expected = math.log(1 + math.exp(-2))
    assert losses['loss_centerness'].item() == pytest.approx(expected)


def test_head_when_nothing_is_said():
    """The paper's towers; anchors of 3 cells, width : height 1, 1/2, 2."""
    heads = CiCoHead(num_classes=2, in_channels=4, num_mask_params=3, towers=dict(channels=4))
    levels = [torch.zeros(3, 4, 2, 2)] + [torch.zeros(3, 4, 1, 1)] * 4
    first = heads.priors(levels)[:3]
    sides = (first[:, 2:] - first[:, :2]).tolist()
    short, long = 24 / 2**0.5, 24 * 2**0.5
    assert sides[0] == [24, 24]
    assert sides[1] == pytest.approx([short, long])
    assert sides[2] == pytest.approx([long, short])
    assert (first[:, :2] + first[:, 2:]).tolist() == [[8, 8]] * 3
    towers = (heads.cls_tower, heads.box_tower, heads.track_tower)
    assert [tower.conv for tower in towers] == ['2d', '3d', '3d']
    assert [len(tower.convs) for tower in towers] == [4, 4, 4]
    assert heads.bbox_coder.stds == (0.1, 0.1, 0.2, 0.2)


class Untouchable(torch.nn.Module):
    """Losses that nothing but training may use."""

    def __getattr__(self, name):
        if name in ('_backward_hooks', '_forward_hooks', '_parameters', '_buffers', '_modules'):
            return super().__getattr__(name)
        raise AssertionError(f'losses.{name} was touched')


CENTRED = dict(
    loss_cls=dict(type='FocalLoss'), loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True)
)


@torch.no_grad()
@pytest.mark.parametrize('losses', [dict(), CENTRED, dict(loss_cls=dict(type='CrossEntropyLoss'))])
def test_prediction_needs_no_losses(losses):
    init_default_scope('mmdet')
    cfg = small_model_cfg()
    cfg['bbox_head']['losses'] = losses
    trained = MODELS.build(cfg).eval()
    cfg['bbox_head'] = CiCoHead.without_losses(cfg['bbox_head'])
    assert cfg['bbox_head']['losses'] is None
    model = MODELS.build(cfg).eval()
    model.load_state_dict(trained.state_dict())
    trained.bbox_head.losses = Untouchable()
    frames = torch.randn(3, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    found = []
    for each in (trained, model):
        each.nms.score_thr = 0.0
        found.append(each.step(VideoState(), frames, (0, 1, 2), 2)[1])
        ModelLayout.of(each)
        output_names(each)
    assert len(found[0]) and torch.equal(found[0].masks, found[1].masks)
    with pytest.raises(ValueError, match='bbox_head.losses is None'):
        model.loss(frames[None], [clip_sample([(0,)] * 3, size=(64, 96))])


@pytest.mark.parametrize(
    'part, cfg, message',
    [
        ('tracker', dict(type='MaskTrackRCNNTracker'), 'tracker: MaskTrack.* no method step'),
        # it fails to build where the package lap is missing
        ('tracker', dict(type='ByteTracker', motion=None), 'tracker: ByteTracker.* no method step'),
        ('loss_mask', dict(type='DiceLoss'), r'loss_mask: DiceLoss .* instead of forward'),
        (
            'assigner',
            dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4),
            'assign_frames',
        ),
        ('bbox_coder', dict(type='DistancePointBBoxCoder'), 'DistancePointBBoxCoder does not fit'),
        ('loss_track', dict(type='L1Loss'), 'loss_track: L1Loss does not fit'),
        ('generator', dict(type='mmcico.OffsetPlanes'), 'mmcico.DynamicMask, mmcico.LinearMask$'),
    ],
)
def test_parts_of_another_interface_are_named(part, cfg, message):
    init_default_scope('mmdet')
    model = small_model_cfg()
    places = dict(
        tracker=model,
        loss_mask=model['mask_head'],
        generator=model['mask_head'],
        assigner=model['bbox_head'],
        bbox_coder=model['bbox_head'],
        loss_track=model['bbox_head'].setdefault('losses', {}),
    )
    places[part][part] = cfg
    with pytest.raises(ValueError, match=message) as found:
        MODELS.build(model)
    assert 'types that fit: ' in str(found.value) and 'mmcico.' in str(found.value)


def test_a_class_loss_of_ones_own_says_what_it_compares():
    class Margin(torch.nn.Module):
        pass

    @class_target.register
    def _(loss: Margin, labels, quality):
        return labels + 1

    labels = torch.tensor([0, 2])
    assert class_target(Margin(), labels, None).tolist() == [1, 3]
    assert class_target(torch.nn.CrossEntropyLoss(), labels, None) is labels
