"""``mmcico finetune`` on tiny generated videos."""

import errno
import json

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from tool_runs import options

from mmcico.apis import CiCoInferencer
from mmcico.apis.config_writer import drop_pretrained, find_base
from mmcico.apis.model_loading import ANY_OBJECT
from mmcico.cli import finetune
from mmcico.cli.main import main
from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.deployment.precision import best_precision
from mmcico.testing import write_small_model

PACK = 'mmcico.PackClipInputs'


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """Three videos of three frames; the file names a class that no object has."""
    folder = tmp_path_factory.mktemp('shapes')
    config = make_config('easy', num_frames=3, size=(64, 96), objects=(2, 3))
    write_dataset(folder, 3, 2, config)
    path = folder / 'instances.json'
    data = json.loads(path.read_text())
    data['categories'].append(dict(id=99, name='unicorn'))
    path.write_text(json.dumps(data))
    return folder


def run(shapes, out, *args):
    data, images = shapes / 'instances.json', shapes / 'JPEGImages'
    return main(['finetune', str(data), '--images', str(images), '--out', str(out), *args])


@pytest.fixture(scope='module')
def small_config(tmp_path_factory):
    return write_small_model(tmp_path_factory.mktemp('small'))[0]


@pytest.fixture(scope='module')
def tuned(shapes, small_config, tmp_path_factory):
    out = tmp_path_factory.mktemp('tuned')
    assert run(shapes, out, '--from', small_config, '--epochs', '1') == 0
    return out


def test_all_steps_from_a_config(tuned):
    cfg = Config.fromfile(tuned / 'config.py')
    assert cfg.num_steps == cfg.train_cfg.max_iters == cfg.param_scheduler[1].end
    assert cfg.warm_up == cfg.param_scheduler[0].end == 1
    assert 'unicorn' not in cfg.classes
    assert cfg.model.bbox_head.num_classes == len(cfg.classes)
    assert cfg.train_dataloader.dataset.dataset.metainfo.classes == cfg.classes
    assert (cfg.scale, cfg.test_scale) == ((96, 64), (120, 80))
    resize = {
        part: cfg[f'{part}_pipeline'][1].transforms[-1 if part == 'test' else -2].scale
        for part in ('clip', 'test')
    }
    assert resize == dict(clip=cfg.scale, test=cfg.test_scale)
    assert 0 <= json.loads((tuned / 'training/metrics.json').read_text())['AP'] <= 1
    last = tuned / f'training/iter_{cfg.num_steps}.pth'
    assert (tuned / 'model.pth').read_bytes() == last.read_bytes()
    assert len(list((tuned / 'pictures').glob('*.png'))) == 1
    videos = [
        json.loads((tuned / f'{part}.json').read_text())['videos'] for part in ('train', 'valid')
    ]
    assert [len(each) for each in videos] == [2, 1]


def test_the_written_config_is_for_people(tuned):
    head, body = (tuned / 'config.py').read_text().split('# frames are resized')
    assert "_base_ = './base.py'" in head
    assert body.count('\n') < 135 and max(map(len, body.splitlines())) <= 100


def test_a_config_that_exists_is_kept(shapes, tuned, capsys):
    before = (tuned / 'config.py').read_text()
    assert run(shapes, tuned, '--epochs', '1') == 1
    assert 'exists, and may have been changed' in capsys.readouterr().err
    assert (tuned / 'config.py').read_text() == before


def test_files_of_others_are_kept(shapes, tmp_path, capsys):
    (tmp_path / 'train.json').write_text('mine')
    assert run(shapes, tmp_path, '--config-only') == 1
    assert 'train.json exists and would be replaced, though' in capsys.readouterr().err
    assert [each.read_text() for each in tmp_path.iterdir()] == ['mine']
    (tmp_path / 'train.json').rename(tmp_path / 'mine.json')
    for given in (['--from', 'none'], ['--epochs', '1']):  # the first stops after the split
        run(shapes, tmp_path, '--config-only', *given)
    assert (tmp_path / 'config.py').is_file()


def test_a_checkpoint_of_other_classes_and_the_config_alone(
    shapes, tuned, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(finetune, 'FEW_MEASURED', 3)
    monkeypatch.setattr(finetune, 'MANY_MEASURED', 4)
    data = json.loads((shapes / 'instances.json').read_text())
    for each in data['annotations']:
        each['category_id'] = data['categories'][0]['id']
    few = tmp_path / 'few.json'
    few.write_text(json.dumps(data))
    (checkpoint,) = sorted((tuned / 'training').glob('iter_*.pth'))[-1:]
    args = ['--from', str(checkpoint), '--time', '31s', '--config-only']
    out = tmp_path / 'out'
    images = str(shapes / 'JPEGImages')
    assert main(['finetune', str(few), '--images', images, '--out', str(out), *args]) == 0
    said = capsys.readouterr().out
    assert 'other classes: the layer of the classes is learned anew' in said
    assert 's a step of 4 clips' in said
    assert not (out / 'training').exists()
    cfg = Config.fromfile(out / 'config.py')
    assert (cfg.load_from, cfg.num_steps) == (str(checkpoint), 2)
    assert cfg.model.bbox_head.num_classes == 1
    assert cfg.optim_wrapper.type == finetune.WRAPPERS[best_precision('cpu')[0]]
    assert main(['train', str(out / 'config.py'), *options()]) == 0
    assert (out / 'training/iter_2.pth').is_file()


def test_a_measurement_writes_no_checkpoint(tuned, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('a checkpoint was written')

    monkeypatch.setattr(Runner, 'save_checkpoint', refuse)
    assert finetune.measure(tuned / 'config.py', 3) > 0


def test_a_full_disk_leaves_no_part_of_the_model(tuned, monkeypatch):
    def full_disk(source, target):
        target.write(source.read(10))
        raise OSError(errno.ENOSPC, 'No space left on device')

    before = (tuned / 'model.pth').read_bytes()
    monkeypatch.setattr(finetune, 'run', lambda *args: 0)
    monkeypatch.setattr(finetune.shutil, 'copyfileobj', full_disk)
    with pytest.raises(OSError, match='model.pth: No space left on device'):
        finetune.train_and_test(None, None, tuned, 0.3)
    assert (tuned / 'model.pth').read_bytes() == before


def test_a_config_that_appears_meanwhile_is_kept(shapes, small_config, tmp_path, monkeypatch):
    def other(config, num_steps):
        (tmp_path / 'config.py').write_text('mine')
        return 1.0

    monkeypatch.setattr(finetune, 'measure', other)
    assert run(shapes, tmp_path, '--from', small_config, '--config-only') == 1
    assert (tmp_path / 'config.py').read_text() == 'mine'
    assert not (tmp_path / 'base.py').exists()


def test_an_interrupted_measurement_leaves_no_config(shapes, small_config, tmp_path, monkeypatch):
    """The same command works again."""

    def stopped(config, num_steps):
        assert Config.fromfile(config).model
        raise KeyboardInterrupt

    monkeypatch.setattr(finetune, 'measure', stopped)
    run(shapes, tmp_path, '--from', small_config, '--time', '1m')
    assert not (tmp_path / 'config.py').exists()


def test_the_model_of_the_package_keeps_its_input_and_what_it_shows(shapes, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run(shapes, out, '--from', 'any-object', '--epochs', '1') == 0
    cfg = Config.fromfile(out / 'config.py')
    assert cfg.load_from == str(ANY_OBJECT)
    assert cfg.learning_rate == 0.0005  # the classes are others
    assert find_base('any-object').known_side == 256
    assert find_base(finetune.CPU_BASE).known_side is None  # no weights, no input to keep
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
        assert [step.type for step in pipeline[-2:]] == ['mmcico.ClipMotion', PACK]
    # brightness and motion are not normalised as colours
    assert cfg.model.data_preprocessor.mean == [128.0] * 3
    # its scores are low, so that pictures and "predict" show more than those of other models
    (line,) = [each for each in capsys.readouterr().out.splitlines() if ' visualize ' in each]
    assert '--score-thr 0.1 ' in line
    tuned = CiCoInferencer(weights=str(out / 'model.pth'), device='cpu', show_progress=False)
    assert tuned.least_score(None) == 0.1


def test_known_classes_are_trained_gently(shapes, tmp_path):
    """A larger rate made the model of the package worse on real videos."""
    content = json.loads((shapes / 'instances.json').read_text())
    content['categories'] = [dict(id=1, name='object')]
    for track in content['annotations']:
        track['category_id'] = 1
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    (tmp_path / 'JPEGImages').symlink_to(shapes / 'JPEGImages')
    args = ['--from', 'any-object', '--epochs', '1', '--config-only']
    assert run(tmp_path, tmp_path / 'out', *args) == 0
    assert Config.fromfile(tmp_path / 'out' / 'config.py').learning_rate == 0.0001


@pytest.mark.parametrize(
    'args, text',
    [
        (['--from', 'none.pth'], 'checkpoint "none.pth" does not exist'),
        (['--from', 'none'], 'config "none" does not exist'),
        (['--time', '5'], '"5" is no duration'),
    ],
)
def test_mistakes(shapes, tmp_path, capsys, args, text):
    assert run(shapes, tmp_path, *args) == 1
    assert text in capsys.readouterr().err


def test_data_with_errors_or_one_video_is_refused(shapes, tmp_path, capsys):
    data = json.loads((shapes / 'instances.json').read_text())
    first = data['videos'][0]['id']
    one = dict(data, videos=data['videos'][:1])
    one['annotations'] = [each for each in data['annotations'] if each['video_id'] == first]
    path = tmp_path / 'data.json'
    args = ['finetune', str(path), '--images', str(shapes / 'JPEGImages')]
    for content, text in ((one, 'has 1 video; training'), (dict(data, videos=[]), 'has errors')):
        path.write_text(json.dumps(content))
        assert main([*args, '--out', str(tmp_path)]) == 1
        assert text in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == [path]


def test_pretrained_parts_are_found_and_dropped():
    def model():
        inner = dict(init_cfg=dict(type='Pretrained', checkpoint='x'))
        return dict(init_cfg=None, backbone=inner, neck=dict(init_cfg=dict(type='Xavier')))

    kept, dropped = model(), model()
    assert drop_pretrained(kept, False) and drop_pretrained(dropped, True)
    assert kept == model()
    assert dropped == dict(model(), backbone=dict(init_cfg=None))
    assert not drop_pretrained(dropped, True)


def test_the_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        main(['finetune', '--help'])
    said = capsys.readouterr().out
    assert all(each in said for each in ('--from', '--time', '--epochs', '--images', '--out'))
