"""Tools that measure models: what they count, and one short start of each."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from tool_runs import run_here

from mmcico.apis import FrameResult
from mmcico.testing import write_small_model

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / 'tools' / each) for each in ('analysis_tools', 'benchmarks')]

from agreement import Comparison  # noqa: E402
from costs import back_and_forth  # noqa: E402

from speed.builders import build, forced  # noqa: E402
from speed.measures import allocated_peak, quantile  # noqa: E402
from speed.runs import ready_clips, run_clips  # noqa: E402
from speed.stages import StageMeter, clock, metered  # noqa: E402
from speed.videos import SpeedVideo, generated  # noqa: E402

SMALL_VIDEO = ('--frames', 5, '--size', 64, 128, '--objects', 2)


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """Paths of a small config and of weights."""
    return write_small_model(tmp_path_factory.mktemp('small'))


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """A generated video with two objects."""
    return generated(tmp_path_factory.mktemp('video'), 5, (64, 128), 2)


@pytest.mark.parametrize('name', ['cuda', 'mps', 'xpu'])
def test_the_clock_waits_for_any_device(name, monkeypatch):
    seen = []
    monkeypatch.setattr(getattr(torch, name), 'synchronize', lambda *device: seen.append(name))
    assert clock(torch.device(name))() > 0
    assert seen == [name]


def test_a_stage_inside_another_counts_for_itself():
    now = iter([0, 1, 4, 6, 9, 10])
    meter = StageMeter(lambda: next(now))
    with meter.stage('outer'):  # from 0
        with meter.stage('inner'):  # from 1 to 4
            pass
        with meter.stage('inner'):  # from 6 to 9
            pass
    assert meter.totals == dict(outer=1 + 2 + 1, inner=3 + 3)


def test_quantiles_are_values_that_were_measured():
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 3.0
    assert quantile([1.0, 2.0], 0.99) == 2.0


def test_candidates_are_the_anchors_nearest_to_the_objects(small, video):
    inferencer = build(*small)
    clips = ready_clips(inferencer, video)
    candidates = forced(inferencer, video, 7)
    seen = []
    select = inferencer.model.nms.select
    inferencer.model.nms.select = lambda *args: seen.append(select(*args)) or seen[-1]
    before = inferencer.model.bbox_head.class_scores
    with candidates.active():
        run_clips(inferencer.model, clips)
    assert inferencer.model.bbox_head.class_scores == before
    assert all(len(query) == 7 for query, _ in seen) and len(seen) >= len(clips)
    priors = torch.cat(
        inferencer.model.bbox_head.anchor_generator.grid_priors(
            [(8, 16), (4, 8), (2, 4)], device='cpu'
        )
    )
    query, anchor = seen[-1]
    boxes = torch.from_numpy(video.boxes[clips[-1].frame_ids[int(query[0])]])
    centre = (priors[anchor[0], :2] + priors[anchor[0], 2:]) / 2
    assert ((boxes[:, :2] < centre) & (centre < boxes[:, 2:])).all(dim=1).any()


def test_counting_changes_no_result_and_is_undone(small, video):
    inferencer = build(*small)
    model, clips = inferencer.model, ready_clips(inferencer, video)
    plain = run_clips(model, clips)
    names = list(model.state_dict())
    meter = StageMeter(lambda: 0.0)
    with metered(model, meter):
        counted = run_clips(model, clips)
    assert {'backbone', 'neck', 'class', 'box and track', 'prototypes', 'masks', 'NMS', 'link'} <= {
        *meter.totals
    }
    assert list(model.state_dict()) == names and 'step' not in vars(model)
    for a, b in zip(plain, counted):
        assert torch.equal(a.masks, b.masks) and torch.equal(a.instances_id, b.instances_id)


def frame(ids, columns, scores):
    """A frame of 4 x 8 pixels whose instances fill two columns from one on."""
    masks = torch.zeros(len(ids), 4, 8, dtype=torch.bool)
    for mask, column in zip(masks, columns):
        mask[:, column : column + 2] = True
    sample = DetDataSample()
    sample.pred_track_instances = InstanceData(
        instances_id=torch.tensor(ids),
        masks=masks,
        scores=torch.tensor(scores),
        labels=torch.zeros(len(ids), dtype=torch.long),
    )
    return FrameResult(0, np.zeros((4, 8, 3), np.uint8), sample)


def test_agreement_of_two_frames():
    total = Comparison()
    # id 0 is the same, id 1 has moved by two columns, id 2 is missing
    total.add(0, frame([0, 1], [0, 4], [0.5, 0.4]), frame([0, 1, 2], [0, 2, 6], [0.75, 0.4, 0.3]))
    found = total.result()
    assert found['equal_ids'] == pytest.approx(1 / 3) and found['score'] == pytest.approx(0.25)
    assert found['worst_track_iou'] == 1 and found['instances'] == 3


def test_a_long_video_plays_a_short_one_back_and_forth():
    short = SpeedVideo('', ['a', 'b', 'c'], np.arange(3))
    long = back_and_forth(short, 7)
    assert ''.join(long.frames) == 'abcbabc' and long.boxes.tolist() == [0, 1, 2, 1, 0, 1, 2]


def test_benchmark_measures_every_stage(small, tmp_path, capsys):
    out = tmp_path / 'speed.json'
    args = (small[0], *SMALL_VIDEO, '--candidates', 5, '--repeats', 1, '--out', out)
    assert run_here('analysis_tools/benchmark.py', *args) == 0
    said = capsys.readouterr().out
    assert '| enlarge and encode |' in said and 'frames a second with loading' in said
    found = json.loads(out.read_text())
    model = found['model']
    assert model['clip']['candidates'] == 5 and found['candidates_from'] == 'objects of the video'
    assert model['flops']['backbone'] > 0 and model['memory'] > 0
    assert all(
        model['stages'][name]['median'] > 0
        for name in ('decode', 'transform', 'backbone', 'NMS', 'link', 'enlarge and encode')
    )
    assert model['latency']['p50'] <= model['latency']['p99']


def test_benchmark_takes_the_candidates_of_a_checkpoint(small, video, tmp_path):
    out = tmp_path / 'speed.json'
    args = (*small, '--video', video.source, '--frames', 3, '--repeats', 1, '--out', out)
    assert run_here('analysis_tools/benchmark.py', *args) == 0
    assert json.loads(out.read_text())['candidates_from'] == 'the model'


def test_objects_of_an_unknown_video_are_asked_for(small, video, capsys):
    args = (small[0], '--video', video.source, '--frames', 3)
    assert run_here('analysis_tools/benchmark.py', *args) == 1
    assert 'give --ann FILE' in capsys.readouterr().err


def test_dense_network_is_the_same(small, tmp_path):
    out = tmp_path / 'dense.json'
    args = (small[0], *SMALL_VIDEO[2:], '--candidates', 4, '--repeats', 1, '--precisions', 'fp32')
    assert run_here('benchmarks/dense_comparison.py', *args, '--out', out) == 0
    ((found,),) = (each.values() for each in json.loads(out.read_text())['models'].values())
    assert found['agreement']['fp32']['same'] and found['ratio']['fp32'] > 0


def test_agreement_of_a_model_with_itself(small, video, tmp_path):
    out = tmp_path / 'agreement.json'
    args = (*small, video.source, '--ways', 'fp32, CPU, dense', '--out', out)
    assert run_here('benchmarks/agreement.py', *args) == 0
    ways = json.loads(out.read_text())['ways']
    assert ways['fp32, CPU, dense']['equal_ids'] == 1 and ways['fp32, CPU']['instances'] > 0


def test_costs_of_two_clips(small, tmp_path, capsys):
    args = ('--config', small[0], '--small', small[0], '--clips', 1, '--objects', 2, '--heights')
    args += ('--lengths', 6, '--height', 64, '--repeats', 1, '--plot', tmp_path / 'costs.png')
    assert run_here('benchmarks/costs.py', *args) == 0
    assert '| frames of a clip | ms a frame |' in capsys.readouterr().out
    assert (tmp_path / 'costs.png').stat().st_size > 1000


def test_training_step_beside_a_plain_network(small, tmp_path):
    out = tmp_path / 'training.json'
    args = (small[0], '--size', 64, 96, '--objects', 2, '--steps', 1, '--out', out)
    assert run_here('benchmarks/training_speed.py', *args) == 0
    plain, ours = json.loads(out.read_text())['runs'].values()
    assert ours['losses'][0] == pytest.approx(plain['losses'][0], rel=1e-4)
    assert ours['memory'] < plain['memory'] and ours['resident'] > 0


def test_tensors_that_are_alive_at_once_make_the_peak():
    def run():
        kept = torch.zeros(2**18)
        torch.zeros(2**19).sum().item()
        return kept

    assert allocated_peak(run, torch.device('cpu')) == pytest.approx(3, abs=0.01)


@pytest.mark.slow
def test_check_of_a_gpu_runs_on_a_cpu(tmp_path):
    args = ('--device', 'cpu', '--out', tmp_path, '--parts', 'training')
    assert run_here('benchmarks/gpu_check.py', *args) == 0
    found = json.loads((tmp_path / 'gpu_check.json').read_text())
    assert found['training']['exit'] == 0 and found['training']['numbers']['runs']
