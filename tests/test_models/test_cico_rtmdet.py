"""CiCo-RTMDet, the anchor-free third model, as its demo config has it."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.models.losses.head_losses import HeadLosses, quality
from mmcico.models.vis.data_samples import align_clip
from mmcico.registry import MODELS
from mmcico.testing import clip_sample

SIZE = (96, 160)
CONFIG = Path(__file__).parents[2] / 'configs/demo/cico-rtmdet_demo_moving-shapes.py'
LOSSES = {'loss_cls', 'loss_iou', 'loss_track', 'loss_mask', 'loss_dice'}


def build(num_frames=3, seed=0):
    """The demo model with a quarter of its channels."""
    init_default_scope('mmdet')
    torch.manual_seed(seed)
    cfg = copy.deepcopy(Config.fromfile(CONFIG).model)
    cfg.backbone.widen_factor = 0.125
    cfg.neck.update(in_channels=[32, 64, 128], out_channels=16)
    cfg.bbox_head.update(in_channels=16, num_frames=num_frames)
    cfg.bbox_head.towers.channels = 16
    cfg.mask_head.update(in_channels=16, feat_channels=16)
    return MODELS.build(cfg)


def clips(num=2, num_frames=3):
    return torch.randn(num, num_frames, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def truth(num_frames=3, objects=(0, 5)):
    return align_clip(clip_sample([objects] * num_frames), SIZE, torch.device('cpu'))


@pytest.mark.parametrize('num_frames', [1, 2, 3])
@pytest.mark.parametrize('objects', [(), (0,), tuple(range(7))])
def test_losses_are_finite_and_reach_every_layer(num_frames, objects):
    model = build(num_frames)
    samples = [
        clip_sample([()] * num_frames, video_id=1),
        clip_sample([objects] * num_frames, video_id=2),
    ]
    losses = model.loss(clips(2, num_frames), samples)
    assert set(losses) == LOSSES
    sum(losses.values()).backward()
    assert all(torch.isfinite(v) for v in losses.values())
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    moved = model.bbox_head.bbox_layer.weight.grad.abs().sum()
    if objects:
        assert losses['loss_iou'] > 0 and losses['loss_dice'] > 0
        assert moved > 0
    else:
        assert losses['loss_iou'] == losses['loss_dice'] == 0
        assert moved == 0


def test_heads_know_one_cell_a_place():
    head = build().bbox_head
    feats = [torch.zeros(3, 16, 96 // s, 160 // s) for s in (8, 16, 32)]
    cells = head.priors(feats)
    assert len(cells) == 12 * 20 + 6 * 10 + 3 * 5
    assert cells[21].tolist() == [8, 8, 16, 16]
    assert cells[-1].tolist() == [128, 64, 160, 96]
    assert head.bbox_layer.out_channels == 4 * 3
    assert head.mask_layer.out_channels == 169


def test_class_scores_learn_how_well_boxes_fit():
    """Object of 28 x 32 in every frame, boxes half as high in one of two."""
    model = build(num_frames=2)
    head = model.bbox_head
    clip = truth(2, (0,))
    outputs, _ = model(clips(1, 2), mode='tensor')
    labels, index = head.assign(outputs.priors, [clip])
    boxes = clip.instances.bboxes.clone()
    boxes[:, 1, 3] -= 16
    deltas = head.encode(outputs.priors, boxes.expand(len(outputs.priors), 2, 4))
    outputs = outputs._replace(bbox_deltas=deltas.expand(1, 2, -1, -1, -1))
    _, positives = head.loss(outputs, [clip])
    assert torch.equal(labels < 4, index >= 0)
    found = quality(head.compared(outputs, [clip], labels, positives)).view_as(index)
    assert torch.equal(found > 0, index >= 0)
    expected = torch.full_like(found[found > 0], 0.75)
    assert torch.allclose(found[found > 0], expected, atol=1e-4)

    def class_loss(score):
        scores = torch.full_like(outputs.cls_scores, -20.0)
        scores[..., 0][index >= 0] = torch.tensor(score).logit()
        return head.loss(outputs._replace(cls_scores=scores), [clip])[0]['loss_cls']

    # the loss vanishes where the score says the quality, and only there
    assert class_loss(0.75) < 1e-4
    assert class_loss(0.95) > 0.01 and class_loss(0.5) > 0.01


def test_boxes_that_fit_cost_nothing_in_any_frame():
    model = build()
    head = model.bbox_head
    clip = truth()
    outputs, _ = model(clips(1), mode='tensor')
    _, index = head.assign(outputs.priors, [clip])
    boxes = clip.instances.bboxes[index[0].clamp(min=0)]
    deltas = torch.stack([head.encode(outputs.priors, row) for row in boxes])
    found, positives = head.loss(outputs._replace(bbox_deltas=deltas[None]), [clip])
    assert len(positives.gt) >= 6
    assert found['loss_iou'].item() == pytest.approx(0, abs=1e-4)
    moved = deltas.clone()
    moved[:, :, 2] += 1  # the last frame only
    worse, _ = head.loss(outputs._replace(bbox_deltas=moved[None]), [clip])
    assert worse['loss_iou'] > 0.1


@pytest.mark.parametrize('num_frames', [1, 2, 3])
def test_prediction_of_an_untrained_model_is_well_formed(num_frames):
    model = build(num_frames).eval()
    torch.nn.init.constant_(model.bbox_head.cls_layer.bias, 0.0)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    (result,) = model(clips(1, num_frames), [clip_sample([()] * num_frames)], mode='predict')
    clip = result.clip_instances
    assert len(result) == num_frames and len(clip)
    assert len(set(clip.instances_id.tolist())) == len(clip)
    for frame in result:
        found = frame.pred_track_instances
        assert found.masks.shape[1:] == (192, 320)
        assert found.masks.flatten(1).any(dim=1).all()
        assert (found.bboxes[:, 2:] >= found.bboxes[:, :2]).all()


def blind_to_time(flat, model):
    """Weights of a T = 1 model for a longer clip: middle taps alone."""
    state = flat.state_dict()
    for name, value in model.state_dict().items():
        if value.dim() == 5:
            middle = torch.zeros_like(value)
            middle[:, :, 1] = state[name][:, :, 1]
            state[name] = middle
    for name in ('weight', 'bias'):
        name = f'bbox_head.bbox_layer.{name}'
        state[name] = torch.cat([state[name]] * model.num_frames)
    return state


def test_a_still_clip_is_the_image_case():
    """Three equal frames give in every row what T = 1 gives, every box too."""
    flat, model = build(1, seed=0).eval(), build(3, seed=1).eval()
    model.load_state_dict(blind_to_time(flat, model))
    image = clips(1, 1)
    with torch.no_grad():
        one, protos = flat(image, mode='tensor')
        three, same = model(image.expand(1, 3, 3, *SIZE), mode='tensor')
    assert torch.allclose(protos.expand_as(same), same, atol=1e-4)
    for key in ('cls_scores', 'bbox_deltas', 'mask_params', 'embeds'):
        rows = getattr(three, key)
        assert torch.allclose(getattr(one, key).expand_as(rows), rows, atol=1e-4)
        assert rows.std() > 0


def test_it_learns_one_clip():
    """Fifteen steps on one clip of two squares."""
    model = build(num_frames=2)
    sample = clip_sample([(0, 5)] * 2)
    inputs = clips(1, 2)
    for t, frame in enumerate(sample.video_data_samples):
        masks = frame.gt_instances.masks.to_ndarray()
        for mask, value in zip(masks, (3.0, -3.0)):
            inputs[0, t, :, torch.from_numpy(mask).bool()] = value
    optim = torch.optim.AdamW(model.parameters(), lr=4e-3)
    history = []
    for _ in range(15):
        losses = model.loss(inputs, [sample])
        optim.zero_grad()
        sum(losses.values()).backward()
        optim.step()
        history.append({key: v.item() for key, v in losses.items()})
    for key in ('loss_iou', 'loss_dice'):
        assert history[-1][key] < 0.75 * history[0][key]


def test_a_loss_for_boxes_is_needed():
    with pytest.raises(ValueError, match='loss_bbox, loss_iou or both'):
        HeadLosses(loss_bbox=None)
