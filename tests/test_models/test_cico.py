"""The whole model: losses, invariants, results."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcico.registry import MODELS
from mmcico.testing import clip_sample, small_model_cfg

SIZE = (96, 160)


def build(kind='yolact', num_frames=3, seed=0, **head):
    init_default_scope('mmdet')
    torch.manual_seed(seed)
    cfg = small_model_cfg(kind, num_frames)
    cfg['bbox_head'].update(head)
    return MODELS.build(cfg)


def clips(num=2, num_frames=3, seed=0):
    return torch.randn(num, num_frames, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
@pytest.mark.parametrize('num_frames', [1, 3, 4])
@pytest.mark.parametrize('objects', [(), (0,), tuple(range(7))])
def test_losses_are_finite_and_reach_every_layer(kind, num_frames, objects):
    model = build(kind, num_frames)
    samples = [
        clip_sample([()] * num_frames, video_id=1),
        clip_sample([objects] * num_frames, video_id=2),
    ]
    losses = model.loss(clips(2, num_frames), samples)
    assert set(losses) == {'loss_cls', 'loss_bbox', 'loss_track', 'loss_mask'}
    sum(losses.values()).backward()
    assert all(torch.isfinite(v) for v in losses.values())
    missing = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not missing
    if objects:
        assert losses['loss_mask'] > 0 and losses['loss_bbox'] > 0
        assert model.mask_head.reduce[1].conv.weight.grad.abs().sum() > 0
    else:
        assert losses['loss_mask'] == losses['loss_bbox'] == 0


def test_optional_losses_have_their_layers():
    model = build(
        losses=dict(
            loss_cls=dict(type='FocalLoss', loss_weight=5.0),
            loss_iou=dict(type='DIoULoss'),
            loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True),
        )
    )
    losses = model.loss(clips(1), [clip_sample([(0, 1)] * 3)])
    assert losses['loss_iou'] > 0 and losses['loss_centerness'] > 0
    outputs, _ = model(clips(1), mode='tensor')
    assert outputs.centerness.shape == outputs.cls_scores.shape[:3]


def test_a_row_says_what_the_loss_compares():
    """Deltas that decode to the truth cost nothing."""
    model = build()
    sample = clip_sample([(0,)] * 3)
    outputs, _ = model(clips(1), mode='tensor')
    from mmcico.models.vis.data_samples import align_clip

    clip = align_clip(sample, SIZE, torch.device('cpu'))
    head = model.bbox_head
    truth = clip.instances.bboxes.expand(len(outputs.priors), 3, 4)
    deltas = head.encode(outputs.priors, truth)[None, None].expand_as(outputs.bbox_deltas)
    outputs = outputs._replace(bbox_deltas=deltas)
    losses, positives = model.bbox_head.loss(outputs, [clip])
    assert losses['loss_bbox'] == 0
    rows = model.bbox_head.select(
        outputs.of_clip(0), outputs.cls_scores[0], positives.row, positives.prior
    )
    assert torch.allclose(rows.bboxes, truth[: len(rows)], atol=1e-2)


def test_frame_step_and_clip_step_make_the_whole():
    model = build().eval()
    inputs = clips()
    with torch.no_grad():
        whole, protos = model(inputs, mode='tensor')
        feats = model.extract_feat(inputs.flatten(0, 1))
        one_by_one = [
            torch.cat(level)
            for level in zip(
                *[
                    model.bbox_head.forward_frames([x[i : i + 1] for x in feats])
                    for i in range(len(inputs) * 3)
                ]
            )
        ]
        scores = model.bbox_head.class_logits(feats, one_by_one)
        parts = model.bbox_head.forward_clips(feats, scores)
        fused = torch.cat(
            [
                model.mask_head.forward_frames([x[i : i + 1] for x in feats])
                for i in range(len(inputs) * 3)
            ]
        )
        same = model.mask_head.forward_clips(fused, 3)
    assert torch.allclose(whole.cls_scores, parts.cls_scores, atol=1e-5)
    assert torch.allclose(whole.bbox_deltas, parts.bbox_deltas, atol=1e-5)
    assert torch.allclose(protos, same, atol=1e-5)


def test_clips_of_a_batch_do_not_see_each_other():
    model = build().eval()
    inputs = clips()
    with torch.no_grad():
        both, protos = model(inputs, mode='tensor')
        turned, turned_protos = model(inputs.flip(0), mode='tensor')
    assert torch.allclose(both.embeds, turned.embeds.flip(0), atol=1e-5)
    assert torch.allclose(protos, turned_protos.flip(0), atol=1e-5)


def test_2d_towers_see_one_frame_and_3d_towers_their_neighbours():
    inputs = clips(1)
    changed = inputs.clone()
    changed[:, 2] += 1
    for kind in ('2d', '3d'):
        model = build(towers=dict(cls=kind, box=kind, track=kind, channels=16, num_convs=1)).eval()
        with torch.no_grad():
            a, _ = model(inputs, mode='tensor')
            b, _ = model(changed, mode='tensor')
        for key in ('cls_scores', 'bbox_deltas', 'embeds'):
            gap = (getattr(a, key) - getattr(b, key)).abs().flatten(2)
            gap = gap.amax(dim=2)[0]
            assert gap[0] == 0  # two frames away, one layer
            assert gap[2] > 0
            assert (gap[1] > 0) == (kind == '3d')


def test_one_frame_is_the_image_case():
    """With T = 1 a 3D tower is the 2D tower of its middle weights."""
    towers = dict(cls='2d', channels=16, num_convs=2)
    cubic = build(num_frames=1, towers=dict(towers, box='3d', track='3d'))
    flat = build(num_frames=1, towers=dict(towers, box='2d', track='2d'))
    state = flat.state_dict()
    for key, value in cubic.state_dict().items():
        if value.dim() == state[key].dim() + 1:
            value = value[:, :, 1]
        if value.shape == state[key].shape:
            state[key] = value
    flat.load_state_dict(state)
    cubic.eval(), flat.eval()
    with torch.no_grad():
        a, _ = cubic(clips(2, 1), mode='tensor')
        b, _ = flat(clips(2, 1), mode='tensor')
    assert torch.allclose(a.bbox_deltas, b.bbox_deltas, atol=1e-5)
    assert torch.allclose(a.embeds, b.embeds, atol=1e-5)


def test_central_frame_emits_its_own_rows_only():
    every = build().eval()
    central = build(query_frames='central').eval()
    central.load_state_dict(every.state_dict())
    with torch.no_grad():
        a, _ = every(clips(), mode='tensor')
        b, _ = central(clips(), mode='tensor')
    assert b.cls_scores.shape[1] == 1
    for key in ('cls_scores', 'bbox_deltas', 'embeds', 'mask_params'):
        assert torch.allclose(getattr(a, key)[:, 1:2], getattr(b, key), atol=1e-6)
    losses = central.loss(clips(1), [clip_sample([(0, 1)] * 3)])
    sum(losses.values()).backward()


@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_prediction_of_an_untrained_model_is_well_formed(kind):
    model = build(kind).eval()
    model.nms.score_thr = 0.2
    sample = clip_sample([(0,)] * 3, num_final=2)
    (result,) = model(clips(1), [sample], mode='predict')
    assert len(result) == 2
    clip = result.clip_instances
    assert len(clip) and len(set(clip.instances_id.tolist())) == len(clip)
    for frame in result:
        found = frame.pred_track_instances
        assert found.masks.shape[1:] == (192, 320)
        assert found.masks.dtype == torch.bool
        assert found.masks.flatten(1).any(dim=1).all()
        assert (found.bboxes >= 0).all()
        assert set(found.instances_id.tolist()) <= set(clip.instances_id.tolist())


def test_no_candidate_gives_an_empty_clip():
    model = build().eval()
    model.nms.score_thr = 0.999
    (result,) = model(clips(1), [clip_sample([()] * 3)], mode='predict')
    assert len(result) == 3
    assert len(result.clip_instances) == 0
    assert result[0].pred_track_instances.masks.shape == (0, 192, 320)


def windows(frames):
    """Samples and clips of one video of 5 frames: 0-2 and 2-4."""
    for start, final in ((0, 2), (2, 3)):
        yield frames[None, start : start + 3], start, final


def test_interleaved_videos_equal_one_after_the_other():
    model = build().eval()
    model.nms.score_thr = 0.25
    videos = {1: clips(1, 5, 1)[0], 2: clips(1, 5, 2)[0]}

    def ids(order):
        found = {1: [], 2: []}
        for video, part in order:
            inputs, start, final = list(windows(videos[video]))[part]
            sample = clip_sample([()] * 3, start, final, video, 5)
            (result,) = model(inputs, [sample], mode='predict')
            found[video].append(result.clip_instances.instances_id.tolist())
        return found

    apart = ids([(1, 0), (1, 1), (2, 0), (2, 1)])
    assert apart == ids([(1, 0), (2, 0), (2, 1), (1, 1)])
    assert set(apart[1][1]) & set(apart[1][0])  # something was linked
    assert not model.states  # finished videos are forgotten


def test_wrong_clip_length_is_named():
    with pytest.raises(ValueError, match='T=3'):
        build()(clips(1, 2), mode='tensor')


def test_wrong_number_of_levels_is_named():
    model = build(
        anchor_generator=dict(type='AnchorGenerator', scales=[3], ratios=[1.0], strides=[8])
    )
    with pytest.raises(ValueError, match='num_outs'):
        model(clips(1), mode='tensor')


def test_half_precision_losses_are_finite():
    model = build('condinst')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(clips(1), [clip_sample([(0, 1)] * 3)])
    assert all(torch.isfinite(v) for v in losses.values())
    sum(losses.values()).backward()


def test_anchors_sit_in_the_middle_of_their_cells():
    outputs, _ = build()(clips(1), mode='tensor')
    first = outputs.priors[:3]
    centres = (first[:, :2] + first[:, 2:]) / 2
    assert centres.tolist() == [[4, 4]] * 3  # a cell of P3 is 8 x 8
    size = first[:, 2:] - first[:, :2]
    # width : height 1, 1/2, 2 with the area of 3 x 3 cells
    assert (size[:, 0] / size[:, 1]).tolist() == pytest.approx([1, 0.5, 2])
    assert size.prod(dim=1).tolist() == pytest.approx([24 * 24] * 3)


def test_a_repeated_last_clip_still_knows_the_video():
    """Clips 0-2, 2-4 and 4-4-4 of five frames, as published models cut."""
    model = build().eval()
    model.nms.score_thr = 0.25
    video, ids = clips(1, 5, 1)[0], []
    for frames, final in (((0, 1, 2), 2), ((2, 3, 4), 2), ((4, 4, 4), 1)):
        sample = clip_sample([()] * 3, frames[0], final, 1, 5)
        sample.set_metainfo(dict(frame_ids=frames))
        (result,) = model(video[None, list(frames)], [sample], mode='predict')
        ids.append(set(result.clip_instances.instances_id.tolist()))
    assert ids[2] & ids[1]
    assert not model.states


def test_a_clip_out_of_order_is_named():
    model = build().eval()
    with pytest.raises(ValueError, match='without the clips before it'):
        model(clips(1), [clip_sample([()] * 3, start=2)], mode='predict')


def test_a_batch_of_two_sizes_equals_its_clips_alone():
    model = build().eval()
    model.nms.score_thr = 0.25
    sizes = {1: (96, 160), 2: (64, 128)}
    inputs, samples, alone = torch.zeros(2, 3, 3, *SIZE), [], []
    for row, (video, size) in enumerate(sizes.items()):
        sample = clip_sample([()] * 3, video_id=video, size=size)
        for frame in sample:
            frame.set_metainfo(dict(pad_shape=size))
        own = clips(1, seed=video)[..., : size[0], : size[1]]
        inputs[row, ..., : size[0], : size[1]] = own[0]
        samples.append(sample)
        alone += model(own, [sample], mode='predict')
    for one, both in zip(alone, model(inputs, samples, mode='predict')):
        a, b = (x[0].pred_track_instances for x in (one, both))
        assert len(a) and torch.equal(a.masks, b.masks)
        torch.testing.assert_close(a.bboxes, b.bboxes)


def test_rows_of_the_central_frame_draw_it_first():
    """Without the inter-frame loss nothing but that frame is compared."""
    from mmcico.models.vis.data_samples import align_clip

    model = build(query_frames='central')
    model.mask_head.loss_mask.decay = 0.0
    clip = align_clip(clip_sample([(0,)] * 3), SIZE, torch.device('cpu'))
    outputs, protos = model(clips(1), mode='tensor')
    protos = protos.detach().requires_grad_()
    _, positives = model.bbox_head.loss(outputs, [clip])
    losses = model.mask_head.loss(protos, outputs, [clip], positives)
    losses['loss_mask'].backward()
    taught = protos.grad[0].abs().sum(dim=(0, 2, 3)) > 0
    assert taught.tolist() == [False, True, False]
