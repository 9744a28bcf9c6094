"""Whole pipelines on tiny video: train, resume, test, draw, two processes."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from processes import forked
from pycocotools import mask as mask_api
from tool_runs import options, run_here

from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.evaluation import VISMetric

ROOT = Path(__file__).parents[1]
CONFIG = """
_base_ = '{root}/configs/demo/cico-{kind}_demo_moving-shapes.py'
norm_cfg = dict(num_groups=4)
model = dict(
    backbone=dict(base_channels=8),
    neck=dict(in_channels=[16, 32, 64], out_channels=16),
    bbox_head=dict(
        in_channels=16, embed_channels=8,
        towers=dict(num_convs=1, channels=16, norm_cfg=norm_cfg)),
    mask_head=dict(in_channels=16, feat_channels=16, norm_cfg=norm_cfg),
    tracker=dict(birth_score=0.0),  # scores are low after 30 steps
    test_cfg=dict(nms=dict(score_thr=0.05, max_per_frame=5)))
train_cfg = dict(max_iters=30, val_interval=30)
param_scheduler = [dict(type='ConstantLR', factor=1.0, by_epoch=False)]
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(data_root='{data}'))
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(data_root='{data}'))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='{data}/test/instances.json')
test_evaluator = val_evaluator
default_hooks = dict(
    checkpoint=dict(interval=15), logger=dict(interval=5))
randomness = dict(seed=0)
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('shapes')
    config = make_config('easy', size=(64, 96), num_frames=5)
    write_dataset(folder / 'train', 4, seed=0, config=config)
    write_dataset(folder / 'test', 3, seed=1, config=config)
    return folder


def write_config(folder, data, kind='yolact', extra=''):
    path = folder / f'{kind}.py'
    path.write_text(CONFIG.format(root=ROOT, kind=kind, data=data) + extra)
    return path


@pytest.fixture(scope='module')
def trained(data, tmp_path_factory):
    """Config, work folder and checkpoint of a model trained for 30 steps."""
    work = tmp_path_factory.mktemp('work')
    config = write_config(work, data)
    assert run_here('train.py', config, '--work-dir', work, *options()) == 0
    return config, work, work / 'iter_30.pth'


def log_losses(work):
    """Total losses of the training log, in order."""
    (log,) = sorted(work.glob('2*/vis_data/scalars.json'))[:1]
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return [r['loss'] for r in records if 'loss' in r]


def test_training_makes_the_loss_fall(trained):
    losses = log_losses(trained[1])
    assert np.mean(losses[-2:]) < 0.8 * np.mean(losses[:2])


@pytest.fixture(scope='module')
def tested(trained, data, tmp_path_factory):
    config, _, checkpoint = trained
    work = tmp_path_factory.mktemp('tested')
    assert run_here('test.py', config, checkpoint, '--work-dir', work, *options()) == 0
    return work


def test_results_are_a_sound_submission(tested, data):
    results = json.loads((tested / 'results.json').read_text())
    truth = json.loads((data / 'test' / 'instances.json').read_text())
    assert results
    for track in results:
        assert track['video_id'] in {v['id'] for v in truth['videos']}
        assert track['category_id'] in (1, 2, 3, 4)
        assert 0 < track['score'] <= 1
        assert len(track['segmentations']) == 5
        assert any(track['segmentations'])
        for rle in filter(None, track['segmentations']):
            assert rle['size'] == [64, 96]
            assert mask_api.area(rle) > 0
    with zipfile.ZipFile(tested / 'submission.zip') as file:
        assert file.namelist() == ['results.json']
        assert json.loads(file.read('results.json')) == results
    metrics = json.loads((tested / 'metrics.json').read_text())
    assert {'AP', 'AP50', 'AP75', 'AR1', 'AR10'} <= set(metrics)
    assert 0 <= metrics['AP'] <= metrics['AP50'] <= 1


def test_a_test_with_augmentation(trained, tested, tmp_path):
    config, _, checkpoint = trained
    args = ('--work-dir', tmp_path, '--tta', '1.5')
    assert run_here('test.py', config, checkpoint, *args, *options()) == 0
    plain, averaged = (
        json.loads((each / 'results.json').read_text()) for each in (tested, tmp_path)
    )
    assert averaged and averaged != plain
    assert {each['video_id'] for each in averaged} <= {1, 2, 3}


def test_a_prepared_network_with_averaged_weights_finds_the_same(trained, data, tested, tmp_path):
    """Without averages in the checkpoint, the hook takes its weights for them."""
    extra = "custom_hooks = [dict(type='EMAHook')]\n"
    args = ('--work-dir', tmp_path, '--precision', 'fp32')
    config = write_config(tmp_path, data, extra=extra)
    assert run_here('test.py', config, trained[2], *args, *options()) == 0
    plain, prepared = (
        json.loads((each / 'results.json').read_text()) for each in (tested, tmp_path)
    )
    assert [each['segmentations'] for each in prepared] == [each['segmentations'] for each in plain]
    assert [each['score'] for each in prepared] == pytest.approx([each['score'] for each in plain])


def test_an_interrupted_test_goes_on(trained, tested, tmp_path, monkeypatch):
    config, _, checkpoint = trained
    command = 'test.py', config, checkpoint, '--work-dir', tmp_path
    clips = []
    real = VISMetric.process

    def process(self, data_batch, data_samples):
        real(self, data_batch, data_samples)
        clips.append(data_samples)
        if self._finished and not self.resume:
            self._part.close()
            raise ValueError('interrupted')

    monkeypatch.setattr(VISMetric, 'process', process)
    assert run_here(*command, *options()) == 1
    assert [path.name for path in tmp_path.glob('*.jsonl')] == ['results.rank0.jsonl']
    first = len(clips)
    assert run_here(*command, '--resume', *options('model.test_cfg.nms.score_thr=0.1')) == 1
    assert run_here(*command, '--resume', *options()) == 0
    assert len(clips) == 3 * first  # three videos of one length
    for name in ('results.json', 'submission.zip', 'metrics.json'):
        assert (tmp_path / name).read_bytes() == (tested / name).read_bytes()


def test_the_tool_without_a_model_agrees(tested, data, tmp_path):
    out = tmp_path / 'metrics.json'
    done = subprocess.run(
        [
            sys.executable,
            ROOT / 'tools' / 'eval.py',
            data / 'test' / 'instances.json',
            tested / 'results.json',
            '--out',
            out,
        ]
    )
    assert done.returncode == 0
    ours = json.loads((tested / 'metrics.json').read_text())
    theirs = json.loads(out.read_text())
    for key in ('AP', 'AP50', 'AR10'):
        assert theirs[key] == pytest.approx(ours[key], abs=1e-12)


def test_resumed_training_ends_where_it_would_have(trained, tmp_path):
    config, work, checkpoint = trained
    for name in ('iter_15.pth', 'last_checkpoint'):
        assert (work / name).exists()
    assert (
        run_here(
            'train.py',
            config,
            '--work-dir',
            tmp_path,
            '--resume',
            work / 'iter_15.pth',
            *options('train_cfg.val_interval=99'),
        )
        == 0
    )
    a = torch.load(checkpoint, weights_only=True)
    b = torch.load(tmp_path / 'iter_30.pth', weights_only=True)
    assert b['meta']['iter'] == 30
    assert a['state_dict'].keys() == b['state_dict'].keys()
    assert a['optimizer']['state'][0]['step'] == b['optimizer']['state'][0]['step'] == 30


def test_condinst_trains_and_tests_too(data, tmp_path):
    config = write_config(tmp_path, data, 'condinst')
    assert (
        run_here(
            'train.py',
            config,
            '--work-dir',
            tmp_path,
            *options(
                'train_cfg.max_iters=4',
                'train_cfg.val_interval=4',
                'default_hooks.checkpoint.interval=4',
            ),
        )
        == 0
    )
    assert (
        run_here('test.py', config, tmp_path / 'iter_4.pth', '--work-dir', tmp_path, *options())
        == 0
    )
    assert (tmp_path / 'results.json').exists()


@pytest.mark.parametrize('overlap, completion', [(0, 'shift'), (2, 'shift'), (1, 'repeat')])
def test_any_overlap_writes_every_frame_once(trained, overlap, completion, tmp_path):
    config, _, checkpoint = trained
    assert (
        run_here(
            'test.py',
            config,
            checkpoint,
            '--work-dir',
            tmp_path,
            *options(
                f'test_dataloader.dataset.overlap={overlap}',
                f'test_dataloader.dataset.completion={completion}',
                'model.test_cfg.overlap_masks=mean',
            ),
        )
        == 0
    )
    assert json.loads((tmp_path / 'results.json').read_text())


@pytest.mark.parametrize(
    'hook, count',
    [
        ('mmcico.ClipVisualizationHook', 15),
        ('TrackVisualizationHook', 5),  # folders of all videos are named alike
    ],
)
def test_drawing_hooks_write_pictures(trained, hook, count, tmp_path):
    config, _, checkpoint = trained
    assert (
        run_here(
            'test.py',
            config,
            checkpoint,
            '--work-dir',
            tmp_path,
            '--show-dir',
            'pictures',
            '--show-interval',
            '1',
            *options(
                f'default_hooks.visualization.type={hook}',
                'default_hooks.visualization.score_thr=0.05',
            ),
        )
        == 0
    )
    pictures = sorted(tmp_path.rglob('pictures/**/*.jpg'))
    assert len(pictures) == count
    height, width, _ = cv2.imread(str(pictures[0])).shape
    assert height == 64 and width in (96, 192)


def test_a_broken_image_is_named_and_finished_videos_are_kept(trained, data, tmp_path, capsys):
    config, _, checkpoint = trained
    content = json.loads((data / 'test' / 'instances.json').read_text())
    broken = tmp_path / 'JPEGImages'
    for video in content['videos']:
        for name in video['file_names']:
            (broken / name).parent.mkdir(parents=True, exist_ok=True)
            (broken / name).write_bytes((data / 'test' / 'JPEGImages' / name).read_bytes())
    bad = content['videos'][1]['file_names'][3]
    (broken / bad).write_bytes(b'this is no image')
    code = run_here(
        'test.py',
        config,
        checkpoint,
        '--work-dir',
        tmp_path / 'work',
        *options(f'test_dataloader.dataset.data_prefix.img={broken}'),
    )
    said = capsys.readouterr().err
    assert code not in (0, None)
    assert bad in said and 'Traceback' not in said
    kept = (tmp_path / 'work' / 'results.rank0.jsonl').read_text()
    assert f'"video_id": {content["videos"][0]["id"]}' in kept


def test_wrong_number_of_classes_is_said_before_training(trained, tmp_path, capsys):
    config = trained[0]
    code = run_here(
        'train.py', config, '--work-dir', tmp_path, *options('model.bbox_head.num_classes=3')
    )
    said = capsys.readouterr().err
    assert code not in (0, None)
    assert 'num_classes=4' in said and 'Traceback' not in said


def by_content(path):
    """Results without the order of tracks."""
    return sorted(json.dumps(r) for r in json.loads(path.read_text()))


@pytest.mark.slow
def test_two_processes_test_as_one(trained, tmp_path):
    config, _, checkpoint = trained
    one, two = tmp_path / 'one', tmp_path / 'two'
    assert run_here('test.py', config, checkpoint, '--work-dir', one, *options()) == 0
    command = ('test.py', config, checkpoint, '--launcher', 'pytorch', '--work-dir', two)
    done = forked(2, lambda: run_here(*command, *options()))
    assert done.returncode == 0, done.stderr[-3000:]
    assert by_content(two / 'results.json') == by_content(one / 'results.json')
    assert json.loads((two / 'metrics.json').read_text()) == json.loads(
        (one / 'metrics.json').read_text()
    )


@pytest.mark.slow
def test_two_processes_train(trained, tmp_path):
    command = ('train.py', trained[0], '--launcher', 'pytorch', '--work-dir', tmp_path)
    settings = options(
        'train_cfg.max_iters=6', 'train_cfg.val_interval=6', 'default_hooks.checkpoint.interval=6'
    )
    done = forked(2, lambda: run_here(*command, *settings))
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'iter_6.pth').exists()
    assert 'youtube_vis/AP' in done.stdout
