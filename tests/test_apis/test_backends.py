"""The same video through ONNX Runtime, and at low precision."""

import json

import cv2
import pytest
import test_inferencer as tiny
import torch
from mmengine.config import Config

from mmcico.apis import CiCoInferencer
from mmcico.apis.model_loading import backend_of
from mmcico.cli.main import main
from mmcico.deployment import OnnxInfo, export_onnx

weights = tiny.weights


@pytest.fixture(scope='module')
def pytorch(weights):
    return CiCoInferencer(tiny.make_config(), weights, device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def onnx_file(pytorch, tmp_path_factory):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    path = str(tmp_path_factory.mktemp('onnx') / 'clip.onnx')
    info = OnnxInfo.of(pytorch.model, pytorch.cfg, pytorch.classes, pytorch.category_ids)
    export_onnx(pytorch.model, path, info, [(64, 96), (96, 64)], 17)
    return path


@pytest.mark.parametrize('with_config', [True, False])
def test_an_onnx_file_gives_the_same(pytorch, onnx_file, with_config):
    model = tiny.make_config() if with_config else None
    exported = CiCoInferencer(model, onnx_file, device='cpu', backend='onnx', show_progress=False)
    assert exported.classes == pytorch.classes
    assert exported.category_ids == (11, 12, 13, 14)
    frames = tiny.video(5)
    found = exported(frames)['predictions'][0]['tracks']
    wanted = pytorch(frames)['predictions'][0]['tracks']
    assert found and len(found) == len(wanted)
    for a, b in zip(found, wanted):
        assert (a['id'], a['label']) == (b['id'], b['label'])
        assert a['score'] == pytest.approx(b['score'], abs=1e-4)
        assert a['segmentations'] == b['segmentations']


def test_the_ending_tells_the_backend(onnx_file, weights, tmp_path):
    opened = CiCoInferencer(weights=onnx_file, device='cpu', show_progress=False)
    assert opened.backend == 'onnx'
    found = opened(tiny.video(3))['predictions'][0]['tracks']
    wanted = CiCoInferencer(weights=onnx_file, device='cpu', backend='onnx', show_progress=False)(
        tiny.video(3)
    )['predictions'][0]['tracks']
    assert found and found == wanted
    # in whatever case; checkpoints are for PyTorch
    for name, expected in (
        (onnx_file, 'onnx'),
        ('A.ONNX', 'onnx'),
        (weights, 'pytorch'),
        (None, 'pytorch'),
        ('onnx', 'pytorch'),
        (tmp_path, 'pytorch'),
    ):
        assert backend_of(name, None) == expected
    assert backend_of('a.bin', 'onnx') == 'onnx'
    # what PyTorch cannot do is said, and not that the file is damaged
    with pytest.raises(ValueError, match='clip.onnx" is an ONNX file'):
        CiCoInferencer(weights=onnx_file, backend='pytorch')
    for options in (dict(compiled=True), dict(precision='bf16')):
        with pytest.raises(ValueError, match='as it was exported'):
            CiCoInferencer(weights=onnx_file, **options)


def test_the_command_line_takes_onnx_files(onnx_file, tmp_path, capsys):
    for index, frame in enumerate(tiny.video(3)):
        cv2.imwrite(str(tmp_path / f'{index}.png'), frame)
    args = ['predict', str(tmp_path), '--weights', onnx_file, '--out']
    out = tmp_path / 'out'
    assert main([*args, str(out), '--save', 'json', '--device', 'cpu']) == 0
    assert json.loads((out / 'results.json').read_text())
    assert main([*args, str(out), '--backend', 'pytorch']) == 1
    said = capsys.readouterr().err
    assert 'is an ONNX file' in said and 'damaged' not in said


def test_low_precision_finds_much_the_same(weights, pytorch):
    half = CiCoInferencer(
        tiny.make_config(), weights, device='cpu', precision='bf16', show_progress=False
    )
    frames = tiny.video(3)
    scores = [
        max(track['score'] for track in each(frames)['predictions'][0]['tracks'])
        for each in (half, pytorch)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.05)
    assert scores[0] != scores[1]


def test_compiling_is_announced(weights, monkeypatch, capsys):
    said = []
    monkeypatch.setattr(
        'mmcico.apis.model_loading.print_log', lambda message, **settings: said.append(message)
    )
    for compiled, times in ((False, 0), (True, 1)):
        CiCoInferencer(
            tiny.make_config(), weights, device='cpu', compiled=compiled, show_progress=False
        )
        assert len(said) == times
    assert 'on a CPU this takes minutes' in said[0]
    with pytest.raises(SystemExit):
        main(['predict', '--help'])
    assert 'wait for minutes' in ' '.join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(backend='tensorrt'), "'tensorrt' is none of"),
        (dict(precision='int8'), "'int8' is none of"),
        (dict(backend='onnx', compiled=True), 'as it was exported'),
        (dict(backend='onnx', precision='fp16'), 'as it was exported'),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        CiCoInferencer(tiny.make_config(), 'weights.pth', **options)


def test_a_checkpoint_is_no_onnx_file(weights):
    pytest.importorskip('onnxruntime')
    with pytest.raises(ValueError, match='model.pth'):
        CiCoInferencer(Config(tiny.make_config().to_dict()), weights, backend='onnx')
    assert not torch.is_autocast_enabled()
