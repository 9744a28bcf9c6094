"""Models for clips from made-up checkpoints of images."""

import pytest
import small_nets as small
import torch

from mmcico.checkpoints import ModelLayout, inflate, kind_of, ours_to_published
from mmcico.registry import MODELS


def inflated(params, cfg, **kwargs):
    """A model with random values, then those of a file."""
    model = small.build(cfg, seed=1)
    values, report = inflate(params, ModelLayout.of(model), **kwargs)
    model.load_state_dict(values, strict=False)
    return model, report


def check_accounts(params, model, report):
    """Every parameter here has one entry, every name of the file some."""
    state = list(model.state_dict())
    here = report.taken + list(report.changed) + list(report.made) + report.missing
    assert sorted(here) == sorted(state)
    left = {**report.dropped, **report.unexpected, **report.wrong_shape}
    assert set(left) <= set(params) and report.placed > 0
    return left


def image():
    torch.manual_seed(3)
    return torch.randn(3, 64, 96)


def assert_middle_frame_agrees(single, clips):
    """The network for clips, on equal frames, at its middle frame."""
    frames = clips.num_frames
    middle = frames // 2
    with torch.no_grad():
        one, protos = single._forward(image()[None, None])
        many, clip_protos = clips._forward(image().expand(1, frames, -1, -1, -1))

    def close(a, b):
        assert b.abs().max() > 0.01  # not a comparison of nothing
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    for field in ('cls_scores', 'mask_params', 'embeds', 'centerness'):
        close(getattr(many, field)[0, middle], getattr(one, field)[0, 0])
    for frame in range(frames):
        close(many.bbox_deltas[0, middle, :, frame], one.bbox_deltas[0, 0, :, 0])
    close(clip_protos[0, :, middle], protos[0, :, 0])


def single_and_params(kind, **kwargs):
    """A model of images, and its checkpoint of some kind."""
    single = small.build(small.published_cfg(num_frames=1, **kwargs))
    params = single.state_dict()
    if kind == 'published':
        layout = ModelLayout.of(single)
        params, report = ours_to_published(params, layout)
        assert not report.unexpected and kind_of(params) == 'published'
    return single, params


@pytest.mark.parametrize('kind', ['published', 'mmcico'])
def test_deep_towers_agree_far_from_the_borders(kind):
    """Four 3D layers reach four frames: nine frames have one untouched."""
    single, params = single_and_params(kind, dims='2d')
    clips, report = inflated(params, small.published_cfg(num_frames=9), take_classes=True)
    assert report.complete and not check_accounts(params, clips, report)
    assert len(report.changed) == 2 * 4 + 3 + 2  # towers, prototypes, boxes
    assert_middle_frame_agrees(single, clips)


@pytest.mark.parametrize('softmax', [False, True])
def test_one_layer_agrees_with_three_frames(softmax):
    single, params = single_and_params('published', dims='2d', num_convs=1, softmax=softmax)
    cfg = small.published_cfg(num_convs=1, mask_dims='2d', softmax=softmax)
    clips, report = inflated(params, cfg, take_classes=True)
    check_accounts(params, clips, report)
    assert_middle_frame_agrees(single, clips)


def test_3d_kernels_of_a_single_frame_give_their_middle_tap():
    single, params = single_and_params('mmcico', dims='3d', num_convs=1)
    cfg = small.published_cfg(num_frames=7, num_convs=1)
    clips, report = inflated(params, cfg, take_classes=True)
    assert_middle_frame_agrees(single, clips)
    name = 'bbox_head.box_tower.convs.0.conv.weight'
    tap = params[name][:, :, 1]
    for time in range(3):
        torch.testing.assert_close(clips.state_dict()[name][:, :, time], tap / 3)
    # the same T: nothing to spread
    same, report = inflated(params, small.published_cfg(1, num_convs=1))
    assert same.state_dict()[name].equal(params[name])
    assert not report.changed


def test_prototypes_lean_on_their_frame():
    _, params = single_and_params('published', dims='2d')
    clips, report = inflated(params, small.published_cfg())
    kernel = clips.state_dict()['mask_head.tower.convs.1.conv.weight']
    there = params['ProtoNet.proto_net.3.weight']
    for time, share in enumerate((0.125, 0.75, 0.125)):
        torch.testing.assert_close(kernel[:, :, time], share * there)
    assert '0.125, 0.75, 0.125' in str(report)


def test_one_frame_with_3d_kernels():
    """Their outer taps meet nothing but padding."""
    single, params = single_and_params('published', dims='2d', num_convs=1)
    cfg = small.published_cfg(1, dims='3d', num_convs=1)
    model, _ = inflated(params, cfg, take_classes=True)
    assert_middle_frame_agrees(single, model)


def test_box_rows_of_each_anchor():
    _, params = single_and_params('published', dims='2d')
    params['prediction_layers.bbox_layer.bias'] = torch.arange(12.0)
    clips, report = inflated(params, small.published_cfg())
    bias = clips.bbox_head.bbox_layer.bias
    assert bias.tolist() == 3 * [0, 1, 2, 3] + 3 * [4, 5, 6, 7] + 3 * [8, 9, 10, 11]
    weight = clips.bbox_head.bbox_layer.weight
    there = params['prediction_layers.bbox_layer.weight']
    assert weight[12 + 4 + 3].equal(there[4 + 3])


def test_classes_are_left_alone_unless_asked():
    _, params = single_and_params('published', dims='2d')
    own = small.build(small.published_cfg(), seed=1).bbox_head.cls_layer.weight
    clips, report = inflated(params, small.published_cfg())
    assert clips.bbox_head.cls_layer.weight.equal(own)
    assert set(report.dropped) == {
        'prediction_layers.conf_layer.weight',
        'prediction_layers.conf_layer.bias',
    }
    assert 'bbox_head.cls_layer.bias' in report.missing
    cfg = small.published_cfg()
    cfg['bbox_head']['num_classes'] = 7
    with pytest.raises(ValueError, match=r'take_classes.*12.*21'):
        inflated(params, cfg, take_classes=True)
    _, report = inflated(params, cfg)
    assert not report.wrong_shape


def test_other_mask_parameters_are_reported():
    _, params = single_and_params('published', dims='2d')
    cfg = small.published_cfg()
    cfg['mask_head']['generator'] = dict(type='mmcico.DynamicMask')
    clips, report = inflated(params, cfg)
    left = check_accounts(params, clips, report)
    assert left['prediction_layers.mask_layer.bias'] == ('(48,) in the file, (507,) is needed')


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_mmdet_yolact(prefix):
    detector = small.mmdet_detector('yolact')
    params = {prefix + k: v for k, v in detector.state_dict().items()}
    assert kind_of(params) == 'yolact'
    cfg = small.published_cfg()
    cfg['backbone']['out_indices'] = (1, 2, 3)
    cfg['mask_head']['generator']['num_protos'] = 32
    clips, report = inflated(params, cfg)
    left = check_accounts(detector.state_dict(), clips, report)
    # 'on_input': its first coarse level comes from the backbone
    assert set(left) == {
        f'{layer}.{leaf}'
        for layer in (
            'neck.fpn_convs.3.conv',
            'bbox_head.conv_cls',
            'bbox_head.conv_reg',
            'bbox_head.conv_coeff',
            'mask_head.segm_branch.segm_conv',
        )
        for leaf in ('weight', 'bias')
    }
    assert {'neck.downsample_convs.0.weight', 'neck.downsample_convs.0.bias'} <= set(report.missing)
    here, there = clips.state_dict(), detector.state_dict()
    assert here['neck.downsample_convs.1.weight'].equal(there['neck.fpn_convs.4.conv.weight'])
    first = there['bbox_head.head_convs.0.conv.weight']
    for tower in ('box_tower', 'track_tower'):
        kernel = here[f'bbox_head.{tower}.convs.0.conv.weight']
        torch.testing.assert_close(kernel.sum(2), first)
        torch.testing.assert_close(kernel[:, :, 0], first / 3)
    assert here['bbox_head.cls_tower.convs.0.conv.weight'].equal(first)
    for number, proto in enumerate((0, 2, 4)):
        name = f'mask_head.tower.convs.{number}.conv'
        torch.testing.assert_close(
            here[f'{name}.weight'][:, :, 1], 0.75 * there[f'mask_head.protonet.{proto}.weight']
        )
        assert here[f'{name}.bias'].equal(there[f'mask_head.protonet.{proto}.bias'])
    assert here['mask_head.reduce.0.conv.weight'].equal(there['mask_head.protonet.8.weight'])
    assert here['mask_head.reduce.1.conv.weight'].equal(there['mask_head.protonet.10.weight'])
    with torch.no_grad():  # the same pyramid, but for our ReLU
        wanted = detector.neck(detector.backbone(image()[None]))[:3]
        given = clips.extract_feat(image()[None])[:3]
    for ours, theirs in zip(given, wanted):
        assert theirs.relu().max() > 0.01
        torch.testing.assert_close(ours, theirs.relu())


@pytest.mark.parametrize('norm', [False, True])
def test_mmdet_condinst(norm):
    detector = small.mmdet_detector('condinst')
    params = detector.state_dict()
    assert kind_of(params) == 'condinst'
    cfg = small.published_cfg()
    if norm:
        cfg['bbox_head']['towers']['norm_cfg'] = dict(type='GN', num_groups=4)
    clips, report = inflated(params, cfg)
    left = check_accounts(params, clips, report)
    assert not any(name.startswith(('backbone', 'neck')) for name in left)
    here = clips.state_dict()
    for coarse in range(2):
        assert here[f'neck.downsample_convs.{coarse}.bias'].equal(
            params[f'neck.fpn_convs.{3 + coarse}.conv.bias']
        )
    for layer in range(4):
        name = f'convs.{layer}.conv.weight'
        there = params[f'bbox_head.reg_convs.{layer}.conv.weight']
        torch.testing.assert_close(
            here[f'bbox_head.box_tower.{name}'], there[:, :, None].expand(-1, -1, 3, -1, -1) / 3
        )
        there = params[f'bbox_head.cls_convs.{layer}.conv.weight']
        assert here[f'bbox_head.cls_tower.{name}'].equal(there)
        assert f'bbox_head.track_tower.{name}' in report.missing
        gn = f'bbox_head.reg_convs.{layer}.gn.bias'
        assert (gn in left) != norm
        if norm:
            assert here[f'bbox_head.box_tower.convs.{layer}.gn.bias'].equal(params[gn])
    assert 'bbox_head.controller.weight' in left


def test_a_neck_of_mmdet_is_taken_as_it_is():
    params = small.mmdet_detector('condinst').state_dict()
    cfg = small.published_cfg()
    cfg['backbone']['out_indices'] = (0, 1, 2, 3)
    cfg['neck'] = dict(
        type='FPN',
        in_channels=[8, 16, 32, 64],
        start_level=1,
        add_extra_convs='on_output',
        out_channels=16,
        num_outs=5,
    )
    clips, report = inflated(params, cfg)
    neck = {k: v for k, v in params.items() if k.startswith('neck.')}
    assert len(neck) == 16 and set(neck) <= set(report.taken)


def test_other_files_are_refused():
    layout = ModelLayout.of(MODELS.build(small.published_cfg()))
    with pytest.raises(ValueError, match='conv1.weight.*Pretrained'):
        inflate({'conv1.weight': torch.zeros(8, 3, 7, 7)}, layout)
    with pytest.raises(ValueError, match='nothing in the checkpoint.*yolact'):
        inflate({'bbox_head.head_convs.0.conv.weight': torch.zeros(1)}, layout)
    with pytest.raises(ValueError, match='take_classes.*condinst'):
        inflate(small.mmdet_detector('condinst').state_dict(), layout, take_classes=True)
