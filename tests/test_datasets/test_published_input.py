"""What the published models see of a frame."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from mmcico.datasets.transforms.clips import LandscapeResize, landscape_size
from mmcico.models import ClipDataPreprocessor


@pytest.mark.parametrize(
    'height, width, expected',
    [
        (720, 1280, (640, 360)),
        (719, 1279, (640, 359)),  # 359.8, cut off
        (480, 640, (512, 384)),
        (1280, 720, (216, 384)),  # upright frames are made small
        (3, 2000, (640, 1)),  # 0.96 would be nothing
        (376, 376, (383, 384)),  # 384 / 376 comes first: 383.99...
        (352, 440, (479, 384)),
    ],
)
def test_size_of_the_input(height, width, expected):
    assert landscape_size(height, width, (640, 384)) == expected


def test_boxes_and_masks_follow_the_image():
    masks = np.zeros((1, 480, 640), dtype=np.uint8)
    masks[0, 120:240, 160:480] = 1
    results = LandscapeResize(scale=(640, 384))(
        dict(
            img=np.zeros((480, 640, 3), dtype=np.float32),
            gt_bboxes=HorizontalBoxes([[160.0, 120.0, 480.0, 240.0]]),
            gt_masks=BitmapMasks(masks, 480, 640),
        )
    )
    assert results['img'].shape == (384, 512, 3)
    assert results['img_shape'] == (384, 512)
    assert results['gt_bboxes'].tensor.tolist() == [[128.0, 96.0, 384.0, 192.0]]
    assert results['gt_masks'].masks.shape == (1, 384, 512)
    assert results['gt_masks'].masks.sum() == 96 * 256


def clip(height, width):
    sample = TrackDataSample()
    sample.video_data_samples = [
        DetDataSample(metainfo=dict(img_shape=(height, width))) for _ in range(2)
    ]
    return dict(
        inputs=[torch.full((2, 3, height, width), 200, dtype=torch.uint8)], data_samples=[sample]
    )


@pytest.mark.parametrize(
    'size, padded',
    [
        ((360, 640), (384, 640)),
        ((384, 216), (384, 640)),
        ((400, 700), (416, 704)),  # larger inputs are only made divisible
    ],
)
def test_inputs_are_padded_with_zeros_to_a_least_size(size, padded):
    preprocessor = ClipDataPreprocessor(
        min_size=(384, 640), mean=[100.0, 100.0, 100.0], std=[50.0, 50.0, 50.0], pad_size_divisor=32
    )
    data = preprocessor(clip(*size))
    assert data['inputs'].shape == (1, 2, 3, *padded)
    inside = data['inputs'][..., : size[0], : size[1]]
    assert (inside == 2).all()
    assert data['inputs'].sum() == inside.sum()
    for frame in data['data_samples'][0]:
        assert frame.batch_input_shape == padded
        assert frame.img_shape == size


def test_the_channels_meet_the_other_channels_constants():
    # BGR (10, 20, 30) with the constants of RGB, then turned to RGB
    preprocessor = ClipDataPreprocessor(
        min_size=(4, 4), mean=[3.0, 2.0, 1.0], std=[1.0, 1.0, 1.0], bgr_to_rgb=True
    )
    bgr = torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    sample = TrackDataSample()
    sample.video_data_samples = [DetDataSample()]
    out = preprocessor(dict(inputs=[bgr], data_samples=[sample]))['inputs']
    assert out[0, 0, :, 0, 0].tolist() == [27.0, 18.0, 9.0]
