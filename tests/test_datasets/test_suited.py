"""Transforms that clips cannot have are refused when a data set is built."""

import numpy as np
import pytest
import tiny_video as tiny
from mmdet.utils import register_all_modules

from mmcico.datasets import VISDataset

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
