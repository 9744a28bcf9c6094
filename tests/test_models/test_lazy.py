"""Work that is left out or shared changes no result."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcico.models import ClipMaskHead
from mmcico.models.heads.head_layers import level_windows
from mmcico.models.layers.windows import crop, merge_windows, widen, worthwhile
from mmcico.models.vis.clip_network import ClipInput, VideoState, lazy_outputs
from mmcico.models.vis.frame_features import KnownFrames, plan_frames
from mmcico.registry import MODELS
from mmcico.structures.clip_masks import crop_region
from mmcico.testing import small_model_cfg

SIZE = (96, 160)


def build(kind='yolact', norm_cfg=None, cls='2d'):
    """A small model whose towers may have a norm."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = small_model_cfg(kind)
    cfg['bbox_head']['towers'].update(norm_cfg=norm_cfg, cls=cls, num_convs=2)
    model = MODELS.build(cfg).eval()
    # untrained class layers say the same everywhere
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    # and masks may be empty
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    return model


def video(frames=7):
    g = torch.Generator().manual_seed(1)
    return torch.randn(frames, 3, *SIZE, generator=g)


def test_windows_by_hand():
    # levels of 2 x 3 and 1 x 2 cells with two anchors: 12 + 4 rows
    chosen = torch.zeros(1, 2, 16, dtype=torch.bool)
    chosen[0, 0, 2 * 1 + 1] = True  # row 0, column 1
    chosen[0, 1, 2 * 5] = True  # row 1, column 2
    sizes = [(2, 3), (1, 2)]
    assert level_windows(chosen, sizes, 2) == [[(0, 2, 1, 3)], []]
    assert widen((3, 4, 0, 2), 2, (5, 9)) == (1, 5, 0, 4)


def test_distant_candidates_have_windows_of_their_own():
    chosen = torch.zeros(1, 1, 100 * 100, dtype=torch.bool)
    for row, column in ((10, 10), (11, 12), (80, 90)):
        chosen[0, 0, 100 * row + column] = True
    (windows,) = level_windows(chosen, [(100, 100)], 1)
    assert windows == [(10, 12, 10, 13), (80, 81, 90, 91)]
    # a widened cell has 9 x 9, and weights take as long as 64 cells
    assert worthwhile([(40, 41, 40, 41)], (13, 13)) is False
    assert worthwhile([(40, 41, 40, 41)], (100, 100)) is True


def test_crop_is_by_places_on_the_map():
    whole = torch.arange(20.0).view(4, 5)
    part = whole[0:3, 1:5]
    assert crop(part, (0, 3, 1, 5), (1, 2, 2, 4)).tolist() == [[7, 8]]


def rows_above(model, inputs, quantile):
    """A threshold that the given share of rows does not pass."""
    outputs, protos = model(inputs, mode='tensor')
    best = model.bbox_head.class_scores(outputs.cls_scores).amax(-1)
    thr = best.flatten().quantile(quantile).item()
    return outputs, protos, best > thr, thr


@torch.no_grad()
@pytest.mark.parametrize('cls', ['2d', '3d'])
@pytest.mark.parametrize('norm_cfg', [None, dict(type='GN', num_groups=4)])
@pytest.mark.parametrize('quantile', [0.5, 0.99, 0.999])
def test_candidates_are_those_of_the_whole_network(norm_cfg, cls, quantile):
    model, inputs = build(norm_cfg=norm_cfg, cls=cls), video(3)[None]
    whole, _, chosen, thr = rows_above(model, inputs, quantile)
    features = model.per_frame(inputs.flatten(0, 1))
    model.nms.score_thr = thr
    lazy, _ = lazy_outputs(model, features, SIZE)
    torch.testing.assert_close(lazy.cls_scores, whole.cls_scores)
    for name in ('bbox_deltas', 'mask_params', 'embeds'):
        torch.testing.assert_close(
            getattr(lazy, name)[chosen], getattr(whole, name)[chosen], atol=2e-5, rtol=1e-4
        )
    assert chosen.any()


@torch.no_grad()
def test_only_windows_are_computed():
    model, inputs = build(), video(3)[None]
    _, _, _, thr = rows_above(model, inputs, 0.9999)
    seen = []
    model.bbox_head.box_tower.convs[0].register_forward_hook(
        lambda module, args, out: seen.append(args[0].shape[-2:].numel())
    )
    features = model.per_frame(inputs.flatten(0, 1))
    model.nms.score_thr = thr
    lazy_outputs(model, features, SIZE)
    assert 0 < sum(seen) < sum(x[0, 0].numel() for x in features.levels) / 2
    seen.clear()
    model.nms.score_thr = 2.0
    _, protos = lazy_outputs(model, features, SIZE)
    assert not seen and not protos.any()
    assert protos.shape == (1, 16, 3, SIZE[0] // 4, SIZE[1] // 4)


@torch.no_grad()
def test_tracks_may_be_drawn_on_a_clip_without_candidates():
    model, inputs = build(), video(3)[None]
    model.tracker = MODELS.build(dict(type='mmcico.EvidenceTracker'))
    _, wanted = model(inputs, mode='tensor')
    model.nms.score_thr = 2.0
    _, protos = lazy_outputs(model, model.per_frame(inputs.flatten(0, 1)), SIZE)
    torch.testing.assert_close(protos, wanted, atol=1e-5, rtol=1e-5)
    assert protos.any()


@pytest.mark.parametrize(
    'frames, known, fresh, rows',
    [
        ((0, 1, 2), (), [0, 1, 2], [0, 1, 2]),
        ((2, 3, 4), (2,), [1, 2], [0, 1, 2]),
        ((4, 4, 5), (4,), [2], [0, 0, 1]),
        ((6, 6, 6), (), [0], [0, 0, 0]),
        ((3, 4), (4, 3), [], [1, 0]),
    ],
)
def test_no_frame_is_computed_twice(frames, known, fresh, rows):
    assert plan_frames(frames, known) == (fresh, rows)


@torch.no_grad()
@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_shared_frames_change_no_result(kind):
    model, frames = build(kind), video(7)
    _, _, _, thr = rows_above(model, frames[None, :3], 0.9)
    model.nms.score_thr = thr
    computed = []
    model.backbone.register_forward_hook(lambda module, args, out: computed.append(len(args[0])))
    state, fresh = VideoState(), VideoState()
    for start in (0, 2, 4):
        ids = (start, start + 1, start + 2)
        state, clip = model.step(state, frames[list(ids)], ids, 2)
        forgetful = VideoState(tracker=fresh.tracker)
        fresh, same = model.step(forgetful, frames[list(ids)], ids, 2)
        assert len(clip)
        assert clip.instances_id.tolist() == same.instances_id.tolist()
        torch.testing.assert_close(clip.bboxes, same.bboxes)
        torch.testing.assert_close(clip.masks, same.masks)
    assert computed == [3, 3, 2, 3, 2, 3]
    assert state.known.frame_ids == (6,)


@torch.no_grad()
def test_frames_of_another_size_are_another_video():
    model = build()
    state, _ = model.step(VideoState(), video(3), (0, 1, 2), 2)
    smaller = video(3)[..., :64, :96]
    with pytest.raises(ValueError, match='another video'):
        model.step(state, smaller, (2, 3, 4), 2)


@torch.no_grad()
@pytest.mark.parametrize(
    'norm_cfg',
    [dict(type='IN'), dict(type='BN', track_running_stats=False), dict(type='GN', num_groups=2)],
)
def test_norms_that_see_a_whole_map_get_it(norm_cfg):
    generator = dict(type='mmcico.LinearMask', num_protos=3)
    head = ClipMaskHead(in_channels=4, feat_channels=4, norm_cfg=norm_cfg, generator=generator)
    fused = torch.randn(3, 4, 24, 40)
    whole = head.eval().forward_clips(fused, 3)
    assert torch.equal(head.forward_clips(fused, 3, [(5, 9, 7, 12)]), whole)


@torch.no_grad()
@pytest.mark.parametrize('upsample', ['DeconvUpsample', 'BilinearUpsample'])
@pytest.mark.parametrize('norm', [None, 'BN'])
@pytest.mark.parametrize('windows', [[(5, 9, 7, 12)], [(0, 3, 0, 4), (20, 24, 36, 40)]])
def test_prototypes_are_exact_inside_their_windows(upsample, norm, windows):
    torch.manual_seed(0)
    head = ClipMaskHead(
        in_channels=4,
        feat_channels=4,
        norm_cfg=norm and dict(type=norm),
        upsample=dict(type=f'mmcico.{upsample}'),
        generator=dict(type='mmcico.LinearMask', num_protos=3),
    )
    for module in head.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    fused = torch.randn(3, 4, 24, 40)
    whole = head.eval().forward_clips(fused, 3)
    part = head.forward_clips(fused, 3, windows)
    assert part.shape == whole.shape and not torch.equal(part, whole)
    for top, bottom, left, right in windows:
        inside = (..., slice(2 * top, 2 * bottom), slice(2 * left, 2 * right))
        torch.testing.assert_close(part[inside], whole[inside], atol=1e-5, rtol=1e-5)
        part[inside] = 0
    assert not part.any()
    # most of the map, or statistics of a batch: everything at once
    assert torch.equal(head.forward_clips(fused, 3, [(0, 22, 0, 36)]), whole)
    assert not head.forward_clips(fused, 3, []).any()


def test_windows_are_merged_if_that_leaves_less_to_compute():
    size = (100, 100)
    assert merge_windows([(40, 50, 40, 50), (45, 55, 40, 50)], size) == [(40, 55, 40, 50)]
    apart = [(10, 20, 10, 20), (70, 80, 70, 80)]
    assert merge_windows(apart, size) == apart
    assert merge_windows([*apart, (10, 80, 10, 80)], size) == [(10, 80, 10, 80)]


@torch.no_grad()
@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_masks_of_windows_are_those_of_the_whole_map(kind):
    """Boxes in a corner, beyond the border and of the least size."""
    torch.manual_seed(0)
    generator = dict(type='mmcico.LinearMask', num_protos=3)
    if kind == 'condinst':
        plane = dict(type='mmcico.GaussianPlane')
        generator = dict(type='mmcico.DynamicMask', num_protos=3, coordinates=plane)
    head = ClipMaskHead(in_channels=4, feat_channels=4, generator=generator, crop_scale=1.5)
    protos = torch.rand(3, 2, 24, 40)
    params = torch.randn(3, head.num_params)
    boxes = torch.tensor([[100.0, 40, 120, 60], [150, -9, 170, 30], [90, 50, 91, 52]])
    masks = head.predict(protos, params, boxes, SIZE)
    on_map = boxes / 4
    regions = crop_region(head.crop_boxes(on_map, (24, 40)), (24, 40))
    expected = head.generator(protos, params, on_map).sigmoid() * regions[:, None]
    torch.testing.assert_close(masks, expected, atol=1e-6, rtol=1e-6)
    assert head.predict(protos, params[:0], boxes[:0], SIZE).shape == (0, 2, 24, 40)
    fused = torch.zeros(1, 1, 12, 20)
    held = torch.zeros(24, 40, dtype=torch.bool)
    for top, bottom, left, right in head.windows(boxes, fused, SIZE):
        held[2 * top : 2 * bottom, 2 * left : 2 * right] = True
    assert (regions.any(dim=0) & ~held).sum() == 0


@torch.no_grad()
def test_everything_is_computed_on_devices_other_than_cpus():
    """Windows would make the host wait, and the meta device has nothing to wait for."""
    model, frames = build().to('meta'), torch.zeros(3, 3, *SIZE, device='meta')
    found = model.network(model, KnownFrames(), ClipInput(frames, (0, 1, 2), 2))
    assert found.protos.shape == (16, 3, SIZE[0] // 4, SIZE[1] // 4)
    assert found.outputs.mask_params.device.type == 'meta'


@torch.no_grad()
def test_anchors_are_made_once_for_a_size():
    model = build()
    levels = model.per_frame(video(3)).levels
    first = model.bbox_head.priors(levels)
    assert model.bbox_head.priors(levels) is first
    other = model.bbox_head.priors([x[..., :-1] for x in levels])
    assert len(other) < len(first)
    assert torch.equal(model.bbox_head.priors(levels), first)
