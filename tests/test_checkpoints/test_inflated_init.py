"""``init_cfg`` of the model: order, log, messages."""

import logging

import pytest
import small_nets as small
import torch
from mmengine.logging import MMLogger
from mmengine.model import PretrainedInit

from mmcico.checkpoints import InflatedPretrained
from mmcico.registry import MODELS
from mmcico.utils.weights import split_init_cfg


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Of MMDetection's YOLACT, as mmengine saves it."""
    path = tmp_path_factory.mktemp('init') / 'yolact.pth'
    state = small.mmdet_detector('yolact').state_dict()
    torch.save(dict(meta=dict(epoch=1), state_dict=state), path)
    return str(path)


def start(init_cfg):
    """A model after ``init_weights``, as a runner starts it."""
    torch.manual_seed(0)
    model = MODELS.build(small.published_cfg(init_cfg=init_cfg))
    model.init_weights()
    return model


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.text = ''

    def emit(self, record):
        self.text += record.getMessage()


def test_a_config_alone_is_enough(checkpoint):
    logger = MMLogger.get_instance('inflated_init', log_level='INFO')
    lines = Lines()
    logger.addHandler(lines)
    model = start(dict(type='mmcico.InflatedPretrained', checkpoint=checkpoint))
    there = torch.load(checkpoint, weights_only=True)['state_dict']
    here = model.state_dict()
    name = 'backbone.layer2.0.conv1.weight'
    assert here[name].equal(there[name])
    assert here['neck.fpn_convs.1.weight'].equal(there['neck.fpn_convs.1.conv.weight'])
    torch.testing.assert_close(
        here['bbox_head.box_tower.convs.0.conv.weight'].sum(2),
        there['bbox_head.head_convs.0.conv.weight'],
    )
    # what the file does not give is as without it
    plain = start(None)
    for name in ('bbox_head.cls_layer.bias', 'mask_head.refine.0.conv.weight'):
        assert here[name].equal(plain.state_dict()[name])
    assert model.bbox_head.cls_layer.bias[0] < -4  # rare objects
    assert model.is_init and model.init_cfg['checkpoint'] == checkpoint
    for text in (
        checkpoint,
        'reshaped or reordered:',
        'bbox_head.box_tower.convs.0.conv.weight: (16, 16, 3, 3) -> (16, 16, 3, 3, 3)',
        'mask_head.refine.0.conv.weight',
        'bbox_head.conv_reg.weight: the model has no such parameter',
    ):
        assert text in lines.text


def test_later_changes_are_not_undone(checkpoint):
    model = start(dict(type='mmcico.InflatedPretrained', checkpoint=checkpoint))
    torch.nn.init.zeros_(model.neck.fpn_convs[0].weight)
    model.init_weights()  # mmengine warns and does nothing
    assert model.neck.fpn_convs[0].weight.eq(0).all()


def test_among_other_initialisers(checkpoint, tmp_path):
    """After 'Pretrained', which mmengine runs after the parts."""
    other = small.build(small.published_cfg(), seed=5).state_dict()
    torch.save(other, tmp_path / 'other.pth')
    model = start(
        [
            dict(type='mmcico.InflatedPretrained', checkpoint=checkpoint),
            dict(type='Pretrained', checkpoint=str(tmp_path / 'other.pth')),
        ]
    )
    here = model.state_dict()
    there = torch.load(checkpoint, weights_only=True)['state_dict']
    name = 'bbox_head.mask_layer.weight'
    assert here[name].equal(other[name])
    assert here['backbone.conv1.weight'].equal(there['backbone.conv1.weight'])


def test_which_come_last():
    own = dict(type='mmcico.InflatedPretrained', checkpoint='a.pth')
    by_class = dict(type=InflatedPretrained, checkpoint='a.pth')
    early = [dict(type='Xavier', layer='Conv2d'), dict(type=PretrainedInit)]
    assert split_init_cfg(None) == ([], [])
    assert split_init_cfg(own) == ([], [own])
    assert split_init_cfg([by_class, *early, own]) == (early, [by_class, own])


def test_messages_name_the_file(tmp_path, checkpoint):
    path = tmp_path / 'foreign.pth'
    init_cfg = dict(type='mmcico.InflatedPretrained', checkpoint=str(path))
    with pytest.raises(FileNotFoundError, match='foreign.pth'):
        start(init_cfg)
    torch.save({'conv1.weight': torch.zeros(1)}, path)
    with pytest.raises(ValueError, match='foreign.pth.*conv1.weight'):
        start(init_cfg)
    torch.save(dict(state_dict=dict(epoch=3)), path)
    with pytest.raises(ValueError, match='foreign.pth.*no tensors.*epoch'):
        start(init_cfg)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match='foreign.pth.*list'):
        start(init_cfg)
    with pytest.raises(ValueError, match='ResNet.*CiCoHead'):
        InflatedPretrained(checkpoint)(small.build(small.published_cfg()).backbone)
