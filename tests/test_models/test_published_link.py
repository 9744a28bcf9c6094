"""Detections and links of the published models, from the preset configs."""

import re
from pathlib import Path

import numpy as np
import published_inputs as inputs
import pytest
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config

from mmcico.models import ClipNMS, PublishedClipNMS, PublishedClipTracker, TrackState
from mmcico.models.trackers.published_tracker import first_claims
from mmcico.models.vis.clip_network import VideoState
from mmcico.registry import MODELS
from mmcico.structures.clip_outputs import ClipOutputs

ROOT = Path(__file__).parents[2]
ANSWERS = sorted((ROOT / 'tests/data/published').glob('link_*.npz'))
register_all_modules(init_default_scope=True)

HEIGHT, WIDTH = inputs.SIZE
SCALE = torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])


def parse(path):
    """What the name of an answer says."""
    kind, softmax, *numbers = re.match(
        r'link_(\w+?)(_softmax)?_t(\d+)_o(\d+)_s(\d+)', path.stem
    ).groups()
    frames, overlap, seed = map(int, numbers)
    return dict(
        seed=seed,
        frames=frames,
        overlap=overlap,
        kind=kind,
        softmax=bool(softmax),
        num_classes=25 if softmax else 40,
    )


def preset(kind, softmax, frames):
    """A published preset with thin layers."""
    data = 'ovis' if softmax else 'youtubevis2019'
    name = f'configs/published/cico-{kind}_r50_fpn_clip3_published_{data}.py'
    cfg = Config.fromfile(ROOT / name).model
    cfg.backbone.update(depth=18, base_channels=8, init_cfg=None)
    cfg.neck.update(in_channels=[16, 32, 64], out_channels=8)
    cfg.bbox_head.update(in_channels=8, num_frames=frames)
    cfg.bbox_head.towers.update(channels=8, num_convs=1)
    cfg.mask_head.update(in_channels=8, feat_channels=8)
    return MODELS.build(cfg)


def as_outputs(raw, softmax, priors):
    """The published heads' raw outputs in our form."""
    scores = raw['conf']
    if softmax:  # background last
        scores = scores.roll(-1, dims=-1)
    frames = len(scores)
    return ClipOutputs(
        cls_scores=scores,
        bbox_deltas=raw['loc'].unflatten(-1, (frames, 4)),
        mask_params=raw['mask_coeff'],
        embeds=raw['track'],
        priors=priors,
        centerness=raw['centerness'].squeeze(-1).logit(),
    )


def run_clip(model, state, raw, softmax):
    """Detections and tracks of one clip."""
    feats = [torch.zeros(1, 1, -(-HEIGHT // s), -(-WIDTH // s))
             for s in inputs.STRIDES]  # yapf: disable
    outputs = as_outputs(raw, softmax, model.bbox_head.priors(feats))
    protos = raw['proto'].permute(3, 2, 0, 1)
    found = model.detect(outputs, protos, inputs.SIZE)

    def draw(params, boxes, crops):
        return model.mask_head.redraw(protos, params, boxes, inputs.SIZE, crops)

    state, shown = model.link(state, found[:], raw['frame_ids'], draw)
    return state, found, shown


def check(answer, prefix, clip):
    """All fields of the instances of a clip."""
    boxes = answer[f'{prefix}_box']
    assert len(clip) == len(boxes)
    if not len(boxes):
        return
    np.testing.assert_allclose(clip.bboxes / SCALE, boxes, atol=5e-7)
    np.testing.assert_allclose(clip.scores, answer[f'{prefix}_score'], atol=5e-7)
    assert (clip.labels.numpy() + 1 == answer[f'{prefix}_class']).all()
    expected = answer[f'{prefix}_mask'] > 127.5
    assert expected.any() and not expected.all()
    assert ((clip.masks > 0.5).numpy() != expected).mean() <= 0.001


@torch.no_grad()
@pytest.mark.parametrize('path', ANSWERS, ids=lambda path: path.stem)
def test_detections_and_links_are_the_published_ones(path):
    answer, case = np.load(path), parse(path)
    model = preset(case['kind'], case['softmax'], case['frames'])
    state, seen = VideoState(), 0
    clips = {name.split('_')[0] for name in answer.files}
    for index in range(len(clips)):
        raw = inputs.head_outputs(index=index, **case)
        state, found, shown = run_clip(model, state, raw, case['softmax'])
        check(answer, f'clip{index}_det', found)
        check(answer, f'clip{index}_track', shown)
        if len(shown):
            ids = answer[f'clip{index}_track_box_ids']
            assert shown.instances_id.tolist() == ids.tolist()
            seen += 1
    assert seen >= 6


def test_the_priors_are_the_published_ones():
    priors = (
        preset('yolact', False, 3).bbox_head.priors(
            [torch.zeros(1, 1, -(-HEIGHT // s), -(-WIDTH // s)) for s in inputs.STRIDES]
        )
        / SCALE
    )
    expected = inputs.priors()
    centre = (priors[:, :2] + priors[:, 2:]) / 2
    torch.testing.assert_close(centre, expected[:, :2])
    torch.testing.assert_close(priors[:, 2:] - priors[:, :2], expected[:, 2:])


@torch.no_grad()
@pytest.mark.parametrize('frames, overlap', [(1, 0), (2, 1), (5, 2)])
@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_other_lengths_and_overlaps_keep_ids(kind, frames, overlap):
    case = dict(
        seed=5,
        frames=frames,
        overlap=overlap,
        kind=kind,
        softmax=kind == 'condinst',
        num_classes=25,
    )
    if kind == 'yolact':
        case['num_classes'] = 40
    model, state = preset(kind, case['softmax'], frames), VideoState()
    labels = {}
    for index in range(6):
        raw = inputs.head_outputs(index=index, **case)
        state, _, shown = run_clip(model, state, raw, case['softmax'])
        assert shown.bboxes.shape[1] == frames
        for key, label in zip(shown.instances_id.tolist(), shown.labels.tolist()):
            assert labels.setdefault(key, label) == label
    assert 3 <= len(labels) <= 4  # objects of the scene


def test_the_mispaired_term_by_hand():
    # in the order of a class, rows 0 and 1 change places: the better one is
    # row 1; the published models compare it with the row at place 1, itself
    around = torch.tensor([[1.0, 0.2], [0.2, 1.0]])
    rest = torch.tensor([[0.0, 0.3], [0.3, 0.0]])
    order = torch.tensor([1, 0])
    right = ClipNMS().reorder((rest, around), order)
    wrong = PublishedClipNMS().reorder((rest, around), order)
    assert right[0, 1].item() == pytest.approx(0.5)
    assert wrong[0, 1].item() == pytest.approx(1.3)


def test_the_best_claim_wins_and_new_tracks_claim_nothing():
    best = torch.tensor([1.2, 1.9, 1.5, 1.0])
    choice = torch.tensor([0, 0, 2, 2])  # 2 stands for a new track
    assert first_claims(best, choice, 2).tolist() == [False, True, False, False]


def test_tracks_are_forgotten_when_memory_says_so():
    forever, short = PublishedClipTracker(), PublishedClipTracker(memory=2)
    case = parse(ROOT / 'link_yolact_t3_o1_s101.npz')
    kept = []
    for tracker in (forever, short):
        model, state = preset('yolact', False, 3), VideoState()
        model.tracker = tracker
        for index in range(6):  # nothing is found in the last two
            raw = inputs.head_outputs(index=index, **case)
            state, _, _ = run_clip(model, state, raw, False)
        kept.append(len(state.tracker.tracks))
    assert kept[0] == 4 and kept[1] == 0


def test_mask_parameters_may_change_their_precision():
    """Under autocast, levels without candidates are filled with floats."""
    model = preset('yolact', False, 3)
    case = parse(ROOT / 'link_yolact_t3_o1_s3.npz')
    _, found, _ = run_clip(model, VideoState(), inputs.head_outputs(index=0, **case), False)
    later = found[:]
    later.mask_params = later.mask_params.bfloat16()

    def draw(params, boxes, crops):
        return found.masks

    state, first = model.tracker.step(TrackState(), found, (0, 1, 2), draw)
    state, second = model.tracker.step(state, later, (2, 3, 4), draw)
    assert first.instances_id.tolist() == second.instances_id.tolist()
    assert torch.equal(state.tracks.mask_params, later.mask_params.float())
