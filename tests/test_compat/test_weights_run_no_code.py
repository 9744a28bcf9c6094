"""Weights come from anywhere: no way of using a file of them runs code."""

import os

from mmcico.compat.embedded_config import checked_config, parse_config

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmcico.apis import CiCoInferencer
from mmcico.apis.model_loading import config_of
from mmcico.cli.main import main
from mmcico.testing import small_inference_cfg, write_small_model

CODE = "import os\nos.mkdir('made')\nmodel = dict()"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    """No test may make the folder that the code in its file makes."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not os.path.exists('made')


def save(path, text, key='cfg', **more):
    content = dict(state_dict=dict(w=torch.ones(1)), meta={key: text}, **more)
    torch.save(content, path)
    return str(path)


def test_a_config_of_plain_values_is_read(tmp_path):
    cfg = small_inference_cfg()
    found = parse_config(Config(dict(cfg, custom_hooks=[dict(type='my.Hook')])).pretty_text, 'a')
    assert found.model == cfg.model and found.test_dataloader == cfg.test_dataloader
    assert 'custom_hooks' not in found  # what prediction does not use may have any type
    values = parse_config("model = dict(a=-1, b=[inf, (2, 'x')], c={3: None}, d=dict())", 'a').model
    assert values == dict(a=-1, b=[float('inf'), (2, 'x')], c={3: None}, d={})


@pytest.mark.parametrize(
    'text',
    [
        CODE,
        "model = __import__('os').mkdir('made')",
        "model = dict(**dict(a=os.mkdir('made')))",
        'model = [x for x in [1]]',
        "model = f'{1}'",
        'model = dict(a=1',
        'model.a = 1',
        '(' * 10000,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match='the config in w.pth is refused.*--model CONFIG'):
        parse_config(text, 'w.pth')


@pytest.mark.parametrize(
    'model',
    [
        dict(type='os.system'),
        dict(type='mmengine.fileio.rmtree'),
        dict(type='mmcv.imwrite'),
        dict(type='mmdet.version.parse_version_info'),
        dict(type='mmengine.dump'),
        dict(a=[dict(type='subprocess.run', args=['mkdir', 'made'])]),
        dict(type='ResNet', _scope_='evil'),
        dict(type='NoSuchModel'),
        dict(type=None),
        dict(type='mmcico.CiCo\n'),
    ],
)
def test_only_registered_types_of_known_scopes(model):
    with pytest.raises(ValueError, match='is not registered in mmcico, mmdet'):
        checked_config(dict(model=model), 'w.onnx')


def test_types_of_every_scope_are_known():
    names = 'mmcico.CiCo CiCo mmdet.ResNet BN mmengine.BaseDataPreprocessor Resize mmcv.Resize'
    for name in names.split():
        assert checked_config(dict(model=dict(type=name, _scope_='mmdet')), 'a').model.type == name


def test_predict_and_inferencer(tmp_path, capsys):
    weights = save('evil.pth', CODE)
    (tmp_path / 'frames').mkdir()
    torch.save(1, tmp_path / 'frames' / 'a.txt')
    with pytest.raises(ValueError, match='evil.pth is refused: it holds "import os"'):
        CiCoInferencer(weights=weights, device='cpu')
    assert main(['predict', '0', '--weights', weights]) == 1
    assert 'evil.pth is refused' in capsys.readouterr().err
    hub = dict(runtime_info=dict(cfg=CODE))
    with pytest.raises(ValueError, match='refused'):
        config_of(save('hub.pth', '', message_hub=hub), 'pytorch')


def test_inferencers_of_mmdetection():
    import mmdet.apis
    from mmengine.infer import infer

    places = dict(message_hub=dict(runtime_info=dict(cfg=CODE))), dict(meta=dict(cfg=CODE))
    for number, more in enumerate(places):
        torch.save(dict(state_dict=dict(w=torch.ones(1)), **more), f'evil{number}.pth')
        with pytest.raises(ValueError, match='the checkpoint is refused: it holds "import os"'):
            mmdet.apis.DetInferencer(weights=f'evil{number}.pth', device='cpu')
    read = infer.Config.fromstring("model = dict(type='RetinaNet')\nx = dict(type='my.X')", '.py')
    assert read.to_dict() == dict(model=dict(type='RetinaNet'))
    assert isinstance(Config(), infer.Config) and not isinstance({}, infer.Config)


def test_a_checkpoint_of_ours_still_predicts_without_a_config(tmp_path):
    config, weights = write_small_model(tmp_path)
    content = torch.load(weights, weights_only=True)
    content['meta']['cfg'] = Config.fromfile(config).pretty_text
    torch.save(content, weights)
    CiCoInferencer(weights=weights, device='cpu')


class Line(torch.nn.Linear):
    """The smallest model that a runner takes."""


def test_resume_and_load_from(tmp_path):
    """MMEngine runs ``meta.config``; it must not be there when a runner resumes."""
    from mmengine.runner.checkpoint import load_checkpoint

    weights = save('evil.pth', CODE, 'config')
    model = torch.nn.Module()
    model.register_parameter('w', torch.nn.Parameter(torch.zeros(1)))
    content = load_checkpoint(model, weights, logger='silent')  # load_from, init_cfg, hub names
    assert content['meta'] == {} and model.w.item() == 1
    assert 'load_checkpoint' in Runner.resume.__code__.co_names  # the only way into resume


def test_onnx(monkeypatch):
    from mmcico.deployment import OnnxInfo, onnx_files

    info = OnnxInfo(num_frames=3, strides=((8, 8),), cfg=dict(model=dict(type='os.system')))

    class Session:
        get_modelmeta = lambda self: self  # noqa: E731
        custom_metadata_map = info.to_props()

    monkeypatch.setattr(onnx_files, 'open_session', lambda *args: Session())
    with pytest.raises(ValueError, match="a.onnx is refused: its type 'os.system'"):
        config_of('a.onnx', 'onnx')


def test_yaml_configs_make_no_objects(tmp_path):
    path = tmp_path / 'config.yaml'
    path.write_text("a: !!python/object/apply:os.mkdir ['made']\n")
    with pytest.raises(Exception, match='could not determine a constructor'):
        Config.fromfile(str(path))
    path.write_text('a: [1, two]\n')
    assert Config.fromfile(str(path)).a == [1, 'two']


@pytest.mark.parametrize('wrap', [lambda w: w, lambda w: dict(state_dict=w, meta={})])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_refused(wrap, value, tmp_path):
    from mmcico.compat.checkpoint import load_from_local

    weights = dict(a=torch.ones(2), b=torch.tensor([1, value]), c=torch.tensor([3]))
    torch.save(wrap(weights), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match='w.pth": 1 of 2 tensors hold.*the first is b'):
        load_from_local(str(tmp_path / 'w.pth'))
