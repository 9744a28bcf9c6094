"""Names, shapes and values of published checkpoints, both ways."""

import json
from pathlib import Path

import pytest
import small_nets as small
import torch
from mmengine.config import Config

from mmcico.checkpoints import ModelLayout, ours_to_published, published_to_ours
from mmcico.registry import MODELS

ROOT = Path(__file__).parents[2]
#: file of names and shapes -> config
PRESETS = {
    'cico_yolact_r50_yt19_t3': 'cico-yolact_r50*_youtubevis2019.py',
    'cico_condinst_r50_ovis_t3': 'cico-condinst_r50*_ovis.py',
    'cico_condinst_swint_yt19_t3': 'cico-condinst_swin-t*_youtubevis2019.py',
}


def numbered(keys):
    """Different values in every place of the parameters of a file."""
    out = {}
    for start, (name, shape) in enumerate(keys.items()):
        if name.endswith('relative_position_index'):
            continue  # a buffer: the model's own
        value = torch.arange(torch.Size(shape).numel()) + 1000 * start
        is_count = name.endswith('num_batches_tracked')
        out[name] = value.reshape(shape).to(torch.long if is_count else torch.float)
    return out


@pytest.mark.parametrize('key', PRESETS)
def test_round_trip(key):
    path = ROOT / 'tests' / 'data' / 'published' / f'keys_{key}.json'
    keys = json.loads(path.read_text())
    (config,) = (ROOT / 'configs' / 'published').glob(PRESETS[key])
    cfg = Config.fromfile(config)
    model = ModelLayout.of(MODELS.build(cfg.model))
    params = numbered(keys)
    ours, report = published_to_ours(params, model)
    assert report.complete, report
    assert list(ours) == list(model.state)
    assert all(ours[k].shape == v.shape for k, v in model.state.items())
    back, report = ours_to_published(ours, model)
    assert report.complete, report
    assert {name: list(value.shape) for name, value in back.items()} == keys
    for name, value in params.items():
        if 'norm0' not in name:
            assert back[name].equal(value), name
            assert back[name].dtype == value.dtype
    again, report = published_to_ours(back, model)
    assert report.complete, report
    assert all(again[name].equal(value) for name, value in ours.items())


@pytest.fixture(scope='module')
def model():
    return ModelLayout.of(small.build(small.published_cfg(softmax=True)))


@pytest.fixture(scope='module')
def params(model):
    values, report = ours_to_published(model.state, model)
    assert report.complete, report
    return values


def test_softmax_classes(model, params):
    ours, report = published_to_ours(params, model)
    name = 'bbox_head.cls_layer.bias'
    there = params['prediction_layers.conf_layer.bias'].reshape(3, 5)
    here = ours[name].reshape(3, 5)
    assert here[:, 4].equal(there[:, 0]) and here[:, :4].equal(there[:, 1:])
    assert 'background' in report.changed[name]
    assert here.flatten().equal(model.state[name])


def test_older_layouts_are_the_same_file(model, params):
    ours, _ = published_to_ours(params, model)
    old = {}
    for name, value in params.items():
        name = name.replace('ProtoNet.', '')
        old[
            'module.' + name.replace('layers.', 'layers.0.', 1)
            if name.startswith('prediction')
            else 'module.' + name
        ] = value
    assert 'module.mask_refine.0.0.weight' in old
    assert 'module.prediction_layers.0.bbox_layer.bias' in old
    again, report = published_to_ours(old, model)
    assert report.complete, report
    assert all(again[name].equal(value) for name, value in ours.items())


def test_everything_is_reported(model, params):
    wrong = dict(params)
    del wrong['prediction_layers.track_layer.bias']
    wrong['semantic_seg_conv.weight'] = torch.zeros(1)
    wrong['fpn.lat_layers.0.bias'] = torch.zeros(7)
    ours, report = published_to_ours(wrong, model)
    assert not report.complete
    assert report.missing == ['neck.lateral_convs.2.bias', 'bbox_head.track_layer.bias']
    assert list(report.unexpected) == ['semantic_seg_conv.weight']
    assert report.wrong_shape == {'fpn.lat_layers.0.bias': '(7,) in the file, (16,) is needed'}
    text = str(report)
    for name in report.missing + ['semantic_seg_conv.weight', '(7,)']:
        assert name in text
    placed = report.taken + list(report.changed) + list(report.made)
    assert sorted(placed) == sorted(ours)
    assert sorted(placed + report.missing) == sorted(model.state)


def test_counters_of_old_files_are_made(model, params):
    old = {k: v for k, v in params.items() if 'num_batches' not in k}
    ours, report = published_to_ours(old, model)
    assert report.complete and len(ours) == len(model.state)
    assert all('num_batches_tracked' in name for name in report.made)
    assert len(report.made) == len(params) - len(old) > 0
    assert 'initial value of the model: backbone.bn1: 1, backbone.layer1: 4' in str(report)


def test_reverse_of_another_model_is_reported(model):
    cfg = small.published_cfg()
    del cfg['bbox_head']['losses']['loss_centerness']
    cfg['mask_head']['upsample'] = dict(type='mmcico.DeconvUpsample')
    paper = ModelLayout.of(MODELS.build(cfg))
    _, report = ours_to_published(paper.state, paper)
    assert list(report.unexpected) == [
        'mask_head.upsample.deconv.weight',
        'mask_head.upsample.deconv.bias',
    ]
    assert report.missing == [
        'prediction_layers.centerness_layer.weight',
        'prediction_layers.centerness_layer.bias',
    ]
    state = dict(model.state, foreign=torch.zeros(1))
    del state['bbox_head.bbox_layer.bias']
    state['neck.fpn_convs.0.bias'] = torch.zeros(2)
    _, report = ours_to_published(state, model)
    assert list(report.unexpected) == ['foreign']
    assert list(report.wrong_shape) == ['neck.fpn_convs.0.bias']
    assert report.missing == ['prediction_layers.bbox_layer.bias', 'fpn.pred_layers.2.bias']
