"""How tools that measure end: short videos, failed parts, old files, numbers that make no sense."""

import argparse
import json
import sys

import numpy as np
import pytest
import torch
from tool_runs import TOOLS, run_here, tool_module

from mmcico.testing import write_small_model

sys.path += [str(TOOLS / each) for each in ('analysis_tools', 'benchmarks')]

from speed.builders import build
from speed.runs import Plan
from speed.videos import generated


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """Paths of a small config and of weights."""
    return write_small_model(tmp_path_factory.mktemp('small'))


@pytest.mark.parametrize(
    'tool, args',
    [
        ('analysis_tools/benchmark.py', ('x.py', '--objects', 0)),
        ('analysis_tools/benchmark.py', ('x.py', '--repeats', 0)),
        ('benchmarks/linking_benchmark.py', ('--objects', 0, 1)),
        ('benchmarks/linking_scores.py', ('x.py', 'x.pth', 'x', '--num-videos', 0)),
        ('benchmarks/temporal_coherence.py', ('x.json', '--intervals', 0)),
        ('benchmarks/memory_of_stream.py', ('x.pth', '--every', 0)),
        ('deployment/compare_backends.py', ('x.py', 'x.pth', 'x.onnx', '--threads', 0)),
        ('test.py', ('x.py', 'x.pth', '--show-interval', 0)),
    ],
)
def test_numbers_below_one_are_told_with_their_option(tool, args, capsys):
    assert run_here(tool, *args) == 2
    option = [each for each in args if str(each).startswith('--')][0]
    assert f'argument {option}: 0 is not a whole number from 1 up' in capsys.readouterr().err


def test_a_video_that_is_shorter_than_a_clip_has_no_latency(small, capsys):
    args = (*small, '--frames', 2, '--size', 64, 96, '--objects', 1, '--repeats', 1)
    assert run_here('analysis_tools/benchmark.py', *args) == 0
    assert 'latency of a stream: -, the video is shorter' in capsys.readouterr().out


def test_instances_beside_those_of_peers_are_counted_a_frame(small, tmp_path):
    inferencer = build(*small)
    video = generated(tmp_path, 5, (64, 96), 2)
    frames = [len(each.sample.pred_track_instances) for each in inferencer.stream(video.frames)]
    assert Plan(inferencer, video).instances() == np.mean(frames) > 0
    speeds = {key: dict(median=1, low=1, high=1) for key in ('steps', 'end_to_end', 'network')}
    own = dict(speeds, memory=1, instances=2.0, clip=dict(instances=9.0))
    table = tool_module('analysis_tools/benchmark.py').peer_table
    head, _, row, _ = table(own, dict(peer=dict(speeds, memory=1, instances=3.0))).splitlines()
    assert head.endswith('| instances a frame |') and row.endswith('| 2.0 |')


def test_agreement_without_its_first_way_ends_in_an_error(small, tmp_path, capsys):
    assert run_here('benchmarks/agreement.py', small[0], tmp_path / 'none.pth') == 1
    assert 'none.pth' in capsys.readouterr().err


@pytest.mark.parametrize('masks, other, code', [(1, {}, 0), (0, {}, 1), (1, dict(error='no'), 1)])
def test_agreement_fails_without_masks_or_with_a_failed_way(monkeypatch, masks, other, code):
    tool = tool_module('benchmarks/agreement.py')
    result = dict(tool.Comparison().result(), instances=masks)
    report = {tool.FIRST: result, 'bf16, CPU': {**result, **other}}
    monkeypatch.setattr(tool, 'compare', lambda *args: report)
    assert tool.main(['config', 'weights', '--frames', '1']) == code


def test_part_of_a_gpu_check_does_not_report_numbers_of_an_earlier_run(tmp_path):
    tool = tool_module('benchmarks/gpu_check.py')
    (tmp_path / 'dense.json').write_text('{"old": 1}')
    args = argparse.Namespace(out=str(tmp_path), device='cpu')
    found = tool.run_part('dense', ['-c', 'raise SystemExit(3)'], args, 60)
    assert found['exit'] == 3 and found['numbers'] is None


@pytest.mark.parametrize('name', ['nosuch', 'speed_compiled'])
def test_unknown_parts_of_a_gpu_check_are_told(name, tmp_path, capsys):
    args = ('--device', 'cpu', '--parts', name, '--out', tmp_path / 'out')
    assert run_here('benchmarks/gpu_check.py', *args) == 2
    assert f'--parts {name}: the parts on cpu are tests, speed_auto,' in capsys.readouterr().err


def test_costs_of_a_single_frame_and_what_is_measured_before_an_error(small, tmp_path, monkeypatch):
    out = tmp_path / 'costs.json'
    tool = tool_module('benchmarks/costs.py')
    args = ['--small', small[0], '--clips', '--objects', '--heights', '2', '--repeats', '1']
    monkeypatch.setattr(tool, 'cost', lambda *_: dict(seconds=dict(median=1.0), memory=2.0))
    tool.main([*args, '--lengths', '1', '--out', str(out)])
    first = json.loads(out.read_text())['costs']
    assert first['frames of the video']['1']['second_half'] == 0
    monkeypatch.delattr(tool, 'cost_of_length')
    with pytest.raises(NameError):
        tool.main([*args, '--lengths', '1', '--out', str(out)])
    second = json.loads(out.read_text())['costs']
    assert second == {**first, 'frames of the video': {}}
    tool.main(
        ['--clips', '--objects', '--heights', '--lengths', '--known', str(out), '--out', str(out)]
    )
    assert json.loads(out.read_text())['costs'] == second


def test_truth_of_padded_inputs_is_not_stretched():
    tool = tool_module('benchmarks/linking_scores.py')
    masks = torch.zeros(2, 1, 40, 60)
    masks[0], masks[1, :, 20:] = 1, 1
    found = tool.padded_to_map(masks, (80, 120), (96, 128))
    wanted = torch.zeros(2, 1, 24, 32, dtype=torch.bool)
    wanted[0, :, :20, :30] = wanted[1, :, 10:20, :30] = True
    assert torch.equal(found, wanted)


def test_videos_of_linkers_without_an_object_are_left_out(monkeypatch):
    tool = tool_module('benchmarks/linking_benchmark.py')
    args = tool.parse_args(['--num-videos', '1', '--num-frames', '3'])
    assert len(tool.make_videos(args, 0, 1)) == 1
    monkeypatch.setattr(tool, 'scene_tracks', lambda *_: [])
    assert tool.make_videos(args, 0, 1) == []
