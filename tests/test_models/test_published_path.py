"""A video's files to ``results.json`` through a preset, against a plain implementation."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import plain_published as plain
import published_inputs as inputs
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from pycocotools import mask as mask_api
from tool_runs import options, run_here

from mmcico.formats.categories import VERSIONS
from mmcico.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIG = """
_base_ = '{root}/configs/published/cico-{kind}_r50_fpn_clip3_published_{data}.py'
model = dict(
    backbone=dict(depth=18, base_channels=8, init_cfg=None),
    neck=dict(in_channels=[16, 32, 64], out_channels=8),
    bbox_head=dict(in_channels=8, towers=dict(channels=8, num_convs=1)),
    mask_head=dict(in_channels=8, feat_channels=8))
test_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(data_root='{folder}/', ann_file='videos.json', data_prefix=dict(img=''),
                 overlap={overlap}))
test_evaluator = dict(ann_file='{folder}/videos.json')
"""


def video(height, width, number):
    """Frames with two moving shapes; the fifth frame is black."""
    rng = np.random.default_rng(height)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (height, width, 3)).astype(np.uint8), (9, 9), 3)
    frames = []
    for t in range(number):
        frame = ground.copy()
        cv2.circle(frame, (10 + 3 * t, height // 2), height // 5, (250, 60, 20), -1)
        cv2.rectangle(frame, (width // 2, 4 + t), (width - 8, height // 2 + t), (20, 90, 240), -1)
        frames.append(frame)
    frames[4] = frames[4] // 40
    return frames


def names_of(data):
    return VERSIONS[data.removeprefix('youtubevis')]


def write(folder, frames, kind, data, overlap):
    """Images, annotation file and config; the config's path."""
    names = []
    for t, frame in enumerate(frames):
        names.append(f'{t:05d}.png')
        cv2.imwrite(str(folder / names[-1]), frame)
    height, width = frames[0].shape[:2]
    content = dict(
        videos=[dict(id=1, height=height, width=width, length=len(names), file_names=names)],
        categories=[
            dict(id=i + 1, name=name)
            for i, name in enumerate(VERSIONS[data.removeprefix('youtubevis')])
        ],
        annotations=[],
    )
    (folder / 'videos.json').write_text(json.dumps(content))
    path = folder / 'config.py'
    path.write_text(CONFIG.format(root=ROOT, kind=kind, data=data, folder=folder, overlap=overlap))
    return path


def random_model(path, frames, softmax, number):
    """The thin preset with random weights.

    Class scores are spread; about ``number`` predictions for the first clip have one above 0.1.
    """
    model = MODELS.build(Config.fromfile(path).model)
    state = {}
    for name, value in model.state_dict().items():
        g = torch.Generator().manual_seed(len(state))
        state[name] = inputs.parameter(name, value.shape, g)
    state['bbox_head.cls_layer.weight'] *= 3
    state['bbox_head.centerness_layer.bias'] += 2
    # where all prototypes are zero, masks are 0.5 but for rounding
    state['mask_head.reduce.1.conv.bias'] += 0.5
    model.load_state_dict(state)
    model.eval()
    clip = torch.from_numpy(np.stack([plain.network_input(frame) for frame in frames[:3]]))
    logits = model._forward(clip[None])[0].cls_scores[0].double()
    bias = model.bbox_head.cls_layer.bias.data
    if softmax:  # exp(best) is a tenth of the sum at this logit of the background
        best, known = logits[..., :-1].amax(-1).exp(), logits[..., :-1].exp().sum(-1)
        room = (10 * best - known).clamp(min=1e-9).log() - logits[..., -1]
        bias.view(3, -1)[:, -1] += room.flatten().sort(descending=True).values[number]
    else:
        best = logits.amax(-1).flatten().sort(descending=True).values[number]
        bias -= best - math.log(0.1 / 0.9)
    return model


def network_of(model, softmax):
    """The model's network as the plain implementation wants it; background is last."""

    def network(images):
        images = torch.from_numpy(images)
        levels = model.extract_feat(images)
        outputs, protos = model._forward(images[None])
        # as precise as the model's, or scores near 1 have another order
        logits = outputs.cls_scores[0]
        scores = logits.softmax(-1)[..., :-1] if softmax else logits.sigmoid()
        named = dict(
            scores=scores,
            deltas=outputs.bbox_deltas[0],
            centerness=outputs.centerness[0].sigmoid(),
            params=outputs.mask_params[0],
            embeds=outputs.embeds[0],
            protos=protos[0],
        )
        return dict(
            {name: value.double().numpy() for name, value in named.items()},
            sizes=tuple(tuple(level.shape[-2:]) for level in levels),
        )

    return network


@torch.no_grad()
@pytest.mark.parametrize(
    'kind, data, size, number, overlap, rows',
    [('yolact', 'youtubevis2019', (45, 76), 6, 1, 25), ('condinst', 'ovis', (71, 58), 5, 0, 25)],
)
def test_files_to_results(tmp_path, kind, data, size, number, overlap, rows):
    frames = video(*size, number)
    config = write(tmp_path, frames, kind, data, overlap)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = random_model(config, frames, data == 'ovis', rows)
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'weights.pth')
    assert (
        run_here(
            'test.py', config, tmp_path / 'weights.pth', '--work-dir', tmp_path / 'work', *options()
        )
        == 0
    )
    found = json.loads((tmp_path / 'work' / 'results.json').read_text())

    network = network_of(model, data == 'ovis')
    expected = plain.tracks_of_video(kind, network, frames, 3, overlap)
    expected = [track for track in expected if track['masks'].any()]  # ours drop those without
    assert len(found) == len(expected) > 3
    assert any(track['redrawn'] for track in expected)
    differing = []
    for ours, theirs in zip(found, expected):
        assert ours['score'] == pytest.approx(theirs['score'], abs=1e-5)
        assert ours['category_id'] == theirs['label'] + 1
        for rle, mask in zip(ours['segmentations'], theirs['masks'], strict=True):
            assert (rle is not None) == mask.any()
            if rle is not None:
                differing.append((mask_api.decode(rle) != mask).sum())
    assert not sum(differing)
