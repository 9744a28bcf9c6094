"""Transforms that clips cannot have are refused when a data set is built."""

from types import SimpleNamespace as Box

import numpy as np
import pytest
import tiny_video as tiny
from mmdet.datasets import MultiImageMixDataset
from mmdet.utils import register_all_modules
from mmengine.dataset import RepeatDataset

from mmcico.datasets import VISDataset
from mmcico.datasets.transforms.suited import check_transforms
from mmcico.engine import ClassCheckHook

register_all_modules(init_default_scope=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tiny.whole_video(tmp_path_factory.mktemp('video'))


def dataset(folder, pipeline):
    return VISDataset(
        ann_file='instances.json',
        data_root=str(folder),
        data_prefix=dict(img='img'),
        pipeline=pipeline,
    )


@pytest.mark.parametrize(
    'cfg, message',
    [
        (dict(type='Mosaic', img_scale=(12, 8)), 'Mosaic mixes other images'),
        (dict(type='CachedMixUp', img_scale=(12, 8)), 'CachedMixUp mixes'),
        (dict(type='CopyPaste'), 'CopyPaste mixes .* mmcico.ClipCopyPaste pastes'),
        (dict(type='mmcico.ClipCopyPaste'), 'ClipCopyPaste needs a second clip: .*MultiImageMix'),
        (
            dict(
                type='RandomApply',
                transforms=[dict(type='RandomApply', transforms=[dict(type='RandomShift')])],
            ),
            'RandomShift moves .* but not its masks',
        ),
        (dict(type='Rotate'), 'Rotate cannot change the frames .* alike; leave'),
        (
            dict(type='RandomApply', transforms=[dict(type='TranslateX', level=3)]),
            'TranslateX cannot change .*RandomFlip, RandomResize, RandomCrop',
        ),
        (dict(type='RandomAffine'), 'RandomAffine cannot move masks; leave'),
        (dict(type='MinIoURandomCrop'), 'MinIoURandomCrop cannot change'),
        (
            dict(
                type='RandomCenterCropPad',
                crop_size=(8, 8),
                ratios=(1.0,),
                mean=[0] * 3,
                std=[1] * 3,
                to_rgb=False,
                test_pad_mode=None,
            ),
            'RandomCenterCropPad cannot change',
        ),
        (
            dict(type='RandAugment', aug_space=[[dict(type='Color')]], aug_num=1),
            'RandAugment cannot choose once .*around one',
        ),
        (dict(type='AutoAugment'), 'AutoAugment cannot choose once for all'),
        (
            dict(type='RandomChoice', transforms=[[dict(type='Pad', size=(9, 9))]]),
            'RandomChoice cannot choose once for all frames',
        ),
        (
            dict(type='RandomCrop', crop_size=(4, 4)),
            'RandomCrop drops a frame .* set allow_negative_crop=True',
        ),
        (dict(type='CutOut', n_holes=1, cutout_shape=(2, 2)), 'CutOut cannot change the frames'),
        (dict(type='mmcico.ClipMotion'), 'ClipMotion compares the frames of a clip: put it'),
    ],
)
def test_transforms_that_would_spoil_clips_are_refused(folder, cfg, message):
    with pytest.raises(ValueError, match=message):
        dataset(folder, tiny.pipeline(cfg))


@pytest.mark.parametrize('place', [0, 1, 3, (2, 2)])
def test_motion_has_its_place(folder, place):
    motion = dict(type='mmcico.ClipMotion')
    steps = tiny.pipeline()
    for each in place if isinstance(place, tuple) else (place,):
        steps.insert(each, motion)
    with pytest.raises(ValueError, match='ClipMotion, here between .* directly before mmcico.Pack'):
        dataset(folder, steps)


def test_motion_in_its_place(folder):
    steps = tiny.pipeline()
    steps.insert(2, dict(type='mmcico.ClipMotion'))
    assert dataset(folder, steps)[0]['inputs'].shape == (3, 3, 8, 12)
    # the other steps are those of a data set around this one
    assert dataset(folder, steps[:-1])[0]['img'][0].shape == (8, 12, 3)


def test_albumentations_are_refused():
    step = type('Albu', (), {})()  # MMDetection's needs a package that may not be there
    with pytest.raises(ValueError, match='Albu cannot change the frames of a clip alike'):
        check_transforms([step])


def test_frames_share_what_is_drawn_in_training(folder):
    steps = tiny.pipeline(dict(type='Resize', scale=(12, 8)), dict(type='RandomFlip', prob=0.5))
    del steps[1]['share_random_params']  # False in MMCV
    with pytest.raises(ValueError, match='RandomFlip is in .* set share_random_params=True'):
        dataset(folder, steps)
    del steps[1]['transforms'][-1]
    assert dataset(folder, steps)[0]['inputs'].shape == (3, 3, 8, 12)


COPY = dict(type='mmcico.ClipCopyPaste', prob=1.0)
PACK = dict(type='mmcico.PackClipInputs')


def each_frame(*steps, share=True):
    return dict(type='TransformBroadcaster', share_random_params=share, transforms=[*steps])


@pytest.mark.parametrize(
    'inside, around, message',
    [
        ([PACK], [COPY], 'ClipCopyPaste needs clips that are not packed: move mmcico.PackClip'),
        ([dict(type='mmcico.ClipMotion')], [COPY, PACK], 'ClipMotion, here between .*CopyPaste'),
        ([], [COPY, each_frame(dict(type='RandomAffine')), PACK], 'RandomAffine cannot move'),
        ([], [dict(type='RandomCrop', crop_size=(4, 4)), PACK], 'set allow_negative_crop=True'),
        ([], [dict(type='Mosaic', img_scale=(4, 4)), PACK], 'Mosaic mixes other images'),
        ([], [each_frame(dict(type='RandomFlip', prob=0.5), share=False)], 'set share_random'),
        ([], [COPY, each_frame(dict(type='RandomFlip', prob=0.5)), PACK], None),
        ([PACK], [], None),
    ],
)
def test_transforms_around_a_data_set_are_checked_before_training(folder, inside, around, message):
    own = dataset(folder, [*tiny.pipeline()[:-1], *inside])
    mixed = RepeatDataset(own, 2)
    mixed.dataset = MultiImageMixDataset(own, around)  # RepeatDataset takes it from a config alone
    runner = Box(model=Box(), train_dataloader=Box(dataset=mixed))
    if message is None:
        ClassCheckHook().before_train(runner)
        assert mixed.dataset[0]['inputs'].shape == (3, 3, 8, 12)
        return
    with pytest.raises(ValueError, match=message):
        ClassCheckHook().before_train(runner)


def test_a_choice_around_the_broadcaster_is_made_once_a_clip(folder):
    """What the message about RandomChoice advises works."""
    first, broadcast, last = tiny.pipeline()
    choices = [
        [dict(broadcast, transforms=[*broadcast['transforms'], dict(type='RandomFlip', prob=prob)])]
        for prob in (0.0, 1.0)
    ]
    choice = dict(type='RandomChoice', transforms=choices)
    data = dataset(folder, [first, choice, last])
    np.random.seed(0)
    found = set()
    for _ in range(12):
        frames = data[0]['data_samples'].video_data_samples
        flips = {frame.flip for frame in frames}
        assert len(flips) == 1
        found |= flips
    assert found == {False, True}
