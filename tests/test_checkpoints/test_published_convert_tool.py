"""tools/model_converters/published_to_mmcico.py."""

import os

import pytest
import small_nets as small
import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from tool_runs import run_here

from mmcico.checkpoints import ModelLayout, ours_to_published

TOOL = 'model_converters/published_to_mmcico.py'


def run(*args):
    return run_here(TOOL, *args)


@pytest.fixture
def files(tmp_path):
    """A config, a published file for it, and the model that it came from."""
    cfg = Config(
        dict(
            default_scope='mmdet',
            model=small.published_cfg(softmax=True),
            test_dataloader=dict(dataset=dict(dataset_version='ovis')),
        )
    )
    cfg.dump(tmp_path / 'preset.py')
    model = small.build(cfg.model)
    params, _ = ours_to_published(model.state_dict(), ModelLayout.of(model))
    torch.save(params, tmp_path / 'published.pth')
    return tmp_path, model, params


def test_there_and_back(files, capsys):
    folder, model, params = files
    common = ['--config', folder / 'preset.py']
    src, dst, back = (folder / f'{name}.pth' for name in ('published', 'new/ours', 'back'))
    assert run(src, dst, *common) == 0
    assert ' 0 missing, 0 unexpected, 0 of another' in capsys.readouterr().out
    other = small.build(small.published_cfg(softmax=True), seed=9)
    content = load_checkpoint(other, str(dst), 'cpu', strict=True)
    for name, value in model.state_dict().items():
        assert other.state_dict()[name].equal(value), name
    assert content['meta']['dataset_meta']['classes'][0] == 'Person'
    assert 'mmcico.CiCo' in content['meta']['cfg']
    assert run(dst, folder / 'new' / '..' / 'new' / 'ours.pth', '--reverse', *common) == 2
    assert run(dst, back, '--reverse', *common) == 0
    again = torch.load(back, weights_only=True)
    assert list(again) == list(params)
    assert all(again[name].equal(value) for name, value in params.items())


def test_incomplete_files_are_not_written(files, capsys):
    folder, _, params = files
    del params['fpn.lat_layers.1.bias']
    params.update(epoch=12, extra=torch.zeros(1))
    src, dst = folder / 'cut.pth', folder / 'out.pth'
    torch.save(dict(state_dict=params), src)
    common = [src, dst, '--config', folder / 'preset.py']
    assert run(*common) == 1
    shown = capsys.readouterr()
    assert '1 parameters missing, 2 unexpected' in shown.err
    assert str(src) in shown.err and '--allow-partial' in shown.err
    for text in ('neck.lateral_convs.1.bias', 'epoch: not a tensor', 'extra:'):
        assert text in shown.out
    assert not dst.exists()
    assert run(*common, '--allow-partial') == 0
    state = torch.load(dst, weights_only=True)['state_dict']
    assert len(state) == len(params) - 2
    assert 'neck.lateral_convs.1.bias' not in state


def test_other_numbers_of_frames(files, capsys):
    folder, *_ = files
    common = [
        folder / 'published.pth',
        folder / 'out.pth',
        '--config',
        folder / 'preset.py',
        '--cfg-options',
        'model.bbox_head.num_frames=5',
    ]
    assert run(*common) == 1
    shown = capsys.readouterr()
    assert '(36,) in the file, (60,) is needed' in shown.out
    assert 'num_frames=T' in shown.err


@pytest.mark.parametrize('key', ['cfg', 'config'])
@pytest.mark.parametrize('reverse', [[], ['--reverse']])
def test_code_in_a_checkpoint_is_not_executed(files, monkeypatch, key, reverse):
    folder, model, params = files
    monkeypatch.chdir(folder)
    code = "import os\nos.mkdir('made')\nmodel = dict(type='os.system')"
    weights = model.state_dict() if reverse else params
    torch.save(dict(state_dict=weights, meta={key: code}), folder / 'code.pth')
    src, dst = folder / 'code.pth', folder / 'out.pth'
    assert run(src, dst, '--config', folder / 'preset.py', *reverse) == 0
    assert not (folder / 'made').exists()
    assert code.encode() not in dst.read_bytes()


@pytest.mark.parametrize('reverse', [[], ['--reverse']])
def test_a_pickle_that_runs_code_is_refused(files, capsys, monkeypatch, reverse):
    folder, *_ = files
    monkeypatch.chdir(folder)

    class Evil:
        def __reduce__(self):
            return os.mkdir, ('made',)

    torch.save(dict(state_dict={}, meta=Evil()), folder / 'code.pth')
    common = [folder / 'code.pth', folder / 'out.pth', '--config', folder / 'preset.py']
    assert run(*common, *reverse) == 1
    assert 'mkdir' in capsys.readouterr().err
    assert not (folder / 'made').exists() and not (folder / 'out.pth').exists()


def test_missing_files(files, capsys):
    folder, *_ = files
    config = ['--config', folder / 'preset.py']
    assert run(folder / 'none.pth', folder / 'out.pth', *config) == 1
    assert 'none.pth' in capsys.readouterr().err
    config = ['--config', folder / 'none.py']
    assert run(folder / 'published.pth', folder / 'out.pth', *config) == 1
    assert 'none.py' in capsys.readouterr().err


def test_class_layer_of_another_loss_is_named(files, capsys):
    folder, *_ = files
    cfg = Config(dict(default_scope='mmdet', model=small.published_cfg(softmax=False)))
    cfg.dump(folder / 'focal.py')
    src, dst = folder / 'published.pth', folder / 'out.pth'
    assert run(src, dst, '--config', folder / 'focal.py') == 1
    shown = capsys.readouterr().err
    assert "loss_cls to type 'mmcico.HardNegativeCrossEntropy'" in shown
    assert 'configs/published/cico-*_published_ovis.py' in shown
    model = small.build(cfg.model)
    params, _ = ours_to_published(model.state_dict(), ModelLayout.of(model))
    torch.save(params, src)
    assert run(src, dst, '--config', folder / 'preset.py') == 1
    shown = capsys.readouterr().err
    assert "loss_cls to type 'FocalLoss'" in shown and 'youtubevis2019.py' in shown
