"""Outputs of the published models' networks, through the converter."""

import json
from pathlib import Path

import numpy as np
import published_inputs as inputs
import pytest
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config

from mmcico.checkpoints import ModelLayout, published_to_ours
from mmcico.registry import MODELS

register_all_modules(init_default_scope=True)

ROOT = Path(__file__).parents[2]
DATA = ROOT / 'tests/data/published'
PRESETS = dict(
    cico_yolact_r50_yt19='cico-yolact_r50_fpn_clip3_published_youtubevis2019',
    cico_condinst_r50_ovis='cico-condinst_r50_fpn_clip3_published_ovis',
)


def published_model(name):
    """The preset with the published parameters of seed 0."""
    text = (DATA / f'keys_{name}_t3.json').read_text()
    cfg = Config.fromfile(ROOT / f'configs/published/{PRESETS[name]}.py').model
    cfg.backbone.init_cfg = None
    model = MODELS.build(cfg).eval()
    params = inputs.state_dict(json.loads(text), seed=0)
    params, report = published_to_ours(params, ModelLayout.of(model))
    assert not report.missing and not report.unexpected
    model.load_state_dict(params, strict=True)
    return model


def in_published_order(feats, outputs, protos, softmax):
    """Our outputs under the names and in the order of the answers."""
    scores = outputs.cls_scores[0]
    if softmax:
        scores = scores.roll(1, dims=-1)
    out = {f'fpn{3 + i}': level for i, level in enumerate(feats)}
    out.update(
        loc=outputs.bbox_deltas[0].flatten(2),
        conf=scores,
        centerness=outputs.centerness[0].sigmoid(),
        track=outputs.embeds[0],
        mask_coeff=outputs.mask_params[0],
        proto=protos[0].permute(2, 3, 1, 0),
    )
    return out


@torch.no_grad()
@pytest.mark.parametrize('name', PRESETS)
def test_the_network_answers_as_the_published_one(name):
    model = published_model(name)
    frames = inputs.clip(seed=0)
    feats = model.extract_feat(frames)
    outputs, protos = model(frames[None], mode='tensor')
    got = in_published_order(feats, outputs, protos, 'ovis' in name)
    answer = np.load(DATA / f'forward_{name}_t3_s0.npz')
    assert set(answer.files) == set(got)
    for key, expected in answer.items():
        values = got[key].flatten()
        # about 1500 values of each, evenly spread
        values = values[:: -(-len(values) // 1500)].numpy()
        assert expected.std() > 1e-3, key
        np.testing.assert_allclose(values, expected, atol=1e-5, err_msg=key)
