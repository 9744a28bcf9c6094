"""Changes of values, by hand and against MMDetection."""

import pytest
import torch
from mmdet.models.backbones.swin import swin_converter

from mmcico.checkpoints.convert import merging_to_mmdet, merging_to_published, roll_classes
from mmcico.checkpoints.inflate import inflate_kernel, repeat_box_rows, time_taps
from mmcico.checkpoints.names import (
    Rule,
    modern_name,
    modern_names,
    published_head_names,
    to_ours,
    to_published,
)


def test_patch_merging_is_that_of_mmdet():
    torch.manual_seed(0)
    params = {
        'layers.0.downsample.reduction.weight': torch.randn(6, 12),
        'layers.0.downsample.norm.bias': torch.randn(12),
    }
    for (name, old), new in zip(params.items(), swin_converter(params).values()):
        assert torch.equal(merging_to_mmdet(old), new), name
        assert not torch.equal(old, new)
        assert torch.equal(merging_to_published(new), old)
        ours = to_ours('backbone.' + name)
        assert ours in swin_converter(params)
    # two channels, pixel by pixel (0, 0), (1, 0), (0, 1), (1, 1)
    pixels = torch.tensor([0, 1, 20, 21, 10, 11, 30, 31])
    assert merging_to_mmdet(pixels).tolist() == [0, 10, 20, 30, 1, 11, 21, 31]


def test_background_moves_within_each_anchor():
    rows = torch.tensor([9, 0, 1, 19, 10, 11])  # 2 anchors, background first
    moved = roll_classes(rows, 2, -1)
    assert moved.tolist() == [0, 1, 9, 10, 11, 19]
    assert roll_classes(moved, 2, 1).tolist() == rows.tolist()
    kernels = rows[:, None, None, None].expand(6, 2, 3, 3)
    assert roll_classes(kernels, 2, -1)[:, 1, 2, 0].tolist() == moved.tolist()


def test_box_rows_stay_with_their_anchor():
    bias = repeat_box_rows(torch.arange(12), 3, 2)
    assert bias.tolist() == [
        0,
        1,
        2,
        3,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        8,
        9,
        10,
        11,
    ]
    weight = torch.arange(12)[:, None, None, None].expand(12, 5, 3, 3)
    assert repeat_box_rows(weight, 3, 2)[:, 4, 0, 1].tolist() == bias.tolist()
    assert repeat_box_rows(weight, 3, 1).equal(weight)


def test_kernels_keep_their_sum():
    kernel = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert time_taps('bbox_head.box_tower.', 3, 5) == [1 / 3] * 3
    assert time_taps('bbox_head.box_tower.', 3, 1) == [0, 1, 0]
    spread = inflate_kernel(kernel, [0.125, 0.75, 0.125])
    assert spread.shape == (1, 1, 3, 2, 2)
    assert spread[0, 0, :, 1, 1].tolist() == [0.375, 2.25, 0.375]
    assert spread.sum(2).equal(kernel)


@pytest.mark.parametrize(
    'published, ours',
    [
        ('backbone.conv1.weight', 'backbone.conv1.weight'),
        ('backbone.layer.0.2.bn3.bias', 'backbone.layer1.2.bn3.bias'),
        (
            'backbone.layers.2.blocks.5.attn.qkv.bias',
            'backbone.stages.2.blocks.5.attn.w_msa.qkv.bias',
        ),
        (
            'backbone.layers.1.blocks.0.mlp.fc2.weight',
            'backbone.stages.1.blocks.0.ffn.layers.1.weight',
        ),
        (
            'backbone.layers.1.blocks.0.mlp.fc1.weight',
            'backbone.stages.1.blocks.0.ffn.layers.0.0.weight',
        ),
        ('backbone.patch_embed.norm.bias', 'backbone.patch_embed.norm.bias'),
        ('backbone.norm2.bias', 'backbone.norm2.bias'),
        ('fpn.lat_layers.0.bias', 'neck.lateral_convs.2.bias'),
        ('fpn.pred_layers.2.weight', 'neck.fpn_convs.0.weight'),
        ('fpn.downsample_layers.1.bias', 'neck.downsample_convs.1.bias'),
        ('ProtoNet.mask_refine.1.0.bias', 'mask_head.refine.1.conv.bias'),
        ('ProtoNet.proto_net.7.running_var', 'mask_head.tower.convs.2.bn.running_var'),
        ('ProtoNet.proto_net.3.weight', 'mask_head.tower.convs.1.conv.weight'),
        ('ProtoNet.proto_conv.3.bias', 'mask_head.reduce.1.conv.bias'),
        ('prediction_layers.conf_extra.6.bias', 'bbox_head.cls_tower.convs.3.conv.bias'),
        ('prediction_layers.conf_layer.bias', 'bbox_head.cls_layer.bias'),
    ],
)
def test_names_both_ways(published, ours):
    assert to_ours(published) == ours
    assert to_published(ours) == published


def test_names_without_a_counterpart():
    assert to_ours('ProtoNet.proto_net.2.weight') is None
    assert to_ours('prediction_layers.bbox_extra.1.weight') is None
    assert to_ours('semantic_seg_conv.weight') is None
    assert to_published('mask_head.upsample.deconv.weight') is None
    assert to_published('neck.lateral_convs.3.bias') is None
    assert Rule('a.{i}.', 'b.{i}.', 2, 1).to_ours('a.0.x') is None


def test_no_two_published_names_are_one_of_ours():
    names = published_head_names()
    assert len(names) == len(set(names)) == 101
    ours = [to_ours(name) for name in names]
    assert None not in ours and len(set(ours)) == len(ours)
    assert [to_published(name) for name in ours] == names


def test_older_names():
    assert modern_name('module.module.fpn.x') == 'fpn.x'
    assert modern_name('module.mask_refine.0.0.bias') == ('ProtoNet.mask_refine.0.0.bias')
    assert modern_name('prediction_layers.0.conf_extra.0.bias') == (
        'prediction_layers.conf_extra.0.bias'
    )
    value = torch.ones(1)
    with pytest.raises(ValueError, match='proto_conv.*both'):
        modern_names({'proto_conv.0.bias': value, 'module.ProtoNet.proto_conv.0.bias': value})
