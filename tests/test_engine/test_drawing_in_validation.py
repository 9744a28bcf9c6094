"""Drawing hooks while a model is validated, MMDetection's own too."""

from types import SimpleNamespace

import cv2
import mmdet.visualization  # noqa: F401
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.registry import VISUALIZERS, init_default_scope
from mmengine.structures import InstanceData

from mmcico.registry import HOOKS

SIZE = (48, 64)


def make_clip(folder, video, frames, **meta):
    """Results of a clip: a square in each frame, the frames as files."""
    samples = []
    for t in frames:
        path = folder / video / f'{t:05d}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((*SIZE, 3), 90, np.uint8))
        sample = DetDataSample(
            metainfo=dict(img_path=str(path), frame_id=t, img_shape=SIZE, ori_shape=SIZE, **meta)
        )
        mask = torch.zeros(1, *SIZE, dtype=torch.bool)
        mask[:, 10:30, 12:40] = True
        sample.pred_track_instances = InstanceData(
            bboxes=torch.tensor([[12.0, 10.0, 40.0, 30.0]]),
            labels=torch.tensor([0]),
            scores=torch.tensor([0.9]),
            instances_id=torch.tensor([3]),
            masks=mask,
        )
        empty = sample.pred_track_instances[:0]
        sample.gt_instances = InstanceData(
            bboxes=empty.bboxes, labels=empty.labels, instances_id=empty.instances_id
        )
        samples.append(sample)
    clip = TrackDataSample()
    clip.video_data_samples = samples
    return clip


def validate(hook_type, tmp_path, clips):
    """Pictures that a hook leaves of some clips; name -> picture."""
    init_default_scope('mmdet')
    out = tmp_path / 'vis'
    visualizer = VISUALIZERS.build(
        dict(
            type='TrackLocalVisualizer',
            name=f'{hook_type}_{tmp_path.name}',
            vis_backends=[dict(type='LocalVisBackend')],
            save_dir=str(out),
        )
    )
    visualizer.dataset_meta = dict(classes=('dog',))
    hook = HOOKS.build(dict(type=hook_type, draw=True, frame_interval=2, score_thr=0.3))
    hook._visualizer = visualizer
    runner = SimpleNamespace(iter=7, val_dataloader=SimpleNamespace(sampler=None))
    for index, clip in enumerate(clips):
        hook.after_val_iter(runner, index, {}, [clip])
    return {path.name: cv2.imread(str(path)) for path in out.rglob('*.png')}


@pytest.mark.parametrize(
    'hook, names',
    [
        ('mmcico.ClipVisualizationHook', {'cat_00000_7.png', 'cat_00002_7.png', 'dog_00000_7.png'}),
        ('TrackVisualizationHook', {'test_img_7.png', 'test_img_9.png', 'test_img_10.png'}),
    ],
)
def test_pictures_of_validation_are_written(hook, names, tmp_path):
    clips = [
        make_clip(tmp_path, 'cat', (0, 1)),
        make_clip(tmp_path, 'cat', (2,)),
        make_clip(tmp_path, 'dog', (0, 1)),
    ]
    pictures = validate(hook, tmp_path, clips)
    assert set(pictures) == names
    for picture in pictures.values():
        picture = picture[:, -SIZE[1] :]  # MMDetection's: truth on the left
        assert picture.shape == (*SIZE, 3)
        # the object is tinted, the rest is as it was
        inside = picture[14:26, 20:36].astype(int)
        assert np.abs(inside - 90).max() > 20
        assert (picture[44:, 56:] == 90).all()


def test_videos_never_share_a_picture(tmp_path):
    clips = [
        make_clip(tmp_path / 'one', 'cat/img1', (0,), img_name='cat/img1/00000.jpg'),
        make_clip(tmp_path / 'one', 'dog/img1', (0,), img_name='dog/img1/00000.jpg'),
        # the first one in another data set, and a second video of the same frames
        make_clip(tmp_path / 'two', 'cat/img1', (0,), img_name='cat/img1/00000.jpg'),
        make_clip(tmp_path / 'two', 'cat/img1', (0,), img_name='cat/img1/00000.jpg', video_id=5),
    ]
    # validated twice at one step: the names stay
    assert set(validate('mmcico.ClipVisualizationHook', tmp_path, clips * 2)) == {
        'cat_img1_00000_7.png',
        'dog_img1_00000_7.png',
        'cat_img1_2_00000_7.png',
        'cat_img1_3_00000_7.png',
    }


@pytest.mark.parametrize('interval, words', [(30, 'one frame of 30'), (1, 'all frames')])
def test_a_test_says_which_frames_it_draws(interval, words):
    said = []
    runner = SimpleNamespace(
        work_dir='work', timestamp='now', logger=SimpleNamespace(info=said.append)
    )
    settings = dict(type='mmcico.ClipVisualizationHook', draw=True, frame_interval=interval)
    HOOKS.build(settings).before_test(runner)
    assert said == []
    HOOKS.build(dict(settings, test_out_dir='pictures')).before_test(runner)
    (line,) = said
    assert words in line and 'work/now/pictures' in line


def test_of_several_processes_the_first_draws_and_says_so(monkeypatch):
    said = []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append))
    hook = HOOKS.build(dict(type='mmcico.ClipVisualizationHook', draw=True))
    hook.before_run(runner)
    assert said == []
    monkeypatch.setattr('mmcico.engine.output_hooks.get_world_size', lambda: 2)
    HOOKS.build(dict(type='mmcico.ClipVisualizationHook')).before_run(runner)
    hook.before_run(runner)
    (line,) = said
    assert 'first of the 2 processes' in line and 'mmcico visualize' in line
