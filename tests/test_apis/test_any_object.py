"""The model that comes with the package."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.mask import decode as rle_decode
from tool_runs import tool_module

from mmcico.apis import CiCoInferencer, open_source
from mmcico.apis.model_loading import ANY_OBJECT, ANY_OBJECT_NOTE, config_of
from mmcico.cli.main import main
from mmcico.formats.read import read_annotations
from mmcico.formats.rle import decode_masks

ROOT = Path(__file__).parents[2]
SHA256 = '7aae9e84231068b007b3dc2c5564931eb743290b208eaab65658ae6ea4192d14'


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """A generated video with one large object, and its (T, H, W) masks."""
    out = tmp_path_factory.mktemp('natural')
    tool = tool_module('dataset_tools/make_natural_shapes.py')
    file = read_annotations(tool.write_dataset(out, 1, 6, (128, 224), seed=5))
    (track,) = file.videos[0].tracks
    return out / 'JPEGImages' / '00000', decode_masks(track.counts, 128, 224)


def test_the_file_is_small_and_the_one_that_was_measured():
    content = ANY_OBJECT.read_bytes()
    assert len(content) <= 6e6
    assert hashlib.sha256(content).hexdigest() == SHA256
    weights = torch.load(ANY_OBJECT, weights_only=True)
    kinds = {each.dtype for each in weights['state_dict'].values()}
    assert kinds == {torch.float16, torch.int64}


def test_an_object_of_a_generated_video_is_found(video):
    folder, truth = video
    inferencer = CiCoInferencer(device='cpu', show_progress=False)
    assert inferencer.classes == ('object',)
    (run,) = inferencer(open_source(str(folder)))['predictions']
    best = max(run['tracks'], key=lambda track: track['score'])
    assert best['score'] > 0.3
    empty = np.zeros_like(truth[0])
    found = np.stack([rle_decode(each) if each else empty for each in best['segmentations']])
    shared, both = (found & truth).sum(), (found | truth).sum()
    assert shared / both > 0.5


def test_predict_writes_files_and_says_what_the_model_is_good_for(video, tmp_path, capsys):
    args = ['predict', str(video[0]), '--out', str(tmp_path), '--save', 'json', '--device', 'cpu']
    assert main(args) == 0
    said = capsys.readouterr()
    assert ANY_OBJECT_NOTE in said.err and ANY_OBJECT_NOTE not in said.out
    assert json.loads((tmp_path / 'results.json').read_text())
    # scores are low on video of another kind, so that its config sets what is shown
    assert 'with a score below 0.1)' in said.out


def test_a_given_score_goes_before_that_of_the_model(video, tmp_path, capsys):
    args = ['predict', str(video[0]), '--out', str(tmp_path), '--save', 'json', '--device', 'cpu']
    assert main([*args, '--score-thr', '0.9']) == 0
    assert ' 0 tracks (and ' in (said := capsys.readouterr().out) and 'below 0.9)' in said


def test_the_inferencer_says_it_too(monkeypatch):
    said = []
    monkeypatch.setattr('mmcico.apis.inferencer.print_log', lambda text, **_: said.append(text))
    CiCoInferencer(device='cpu', show_progress=False)
    assert said == [ANY_OBJECT_NOTE]


def test_the_figures_are_those_of_the_page():
    page = (ROOT / 'docs' / 'en' / 'any_object.md').read_text()
    generated, real = re.findall(r'0\.\d{3}', ANY_OBJECT_NOTE)
    assert f'| {generated} |' in page and f'| {real} |' in page


def test_mirror_images_change_the_sign_of_motion():
    cfg = config_of(str(ANY_OBJECT))
    cfg.model.test_cfg.tta = dict()
    model = CiCoInferencer(cfg, str(ANY_OBJECT)).model
    assert [(view.flip, view.negated) for view in model.viewed.views] == [
        (False, (1,)),
        (True, (1,)),
    ]
