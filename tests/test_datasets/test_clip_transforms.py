"""The pipeline of a clip: what the model gets, and equal random changes."""

import random

import numpy as np
import pytest
import tiny_video as tiny
import torch
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import get_box_tensor
from mmdet.structures.mask import BitmapMasks
from mmdet.utils import register_all_modules

from mmcico.datasets import ClipCopyPaste, ClipMotion, VISDataset
from mmcico.datasets.transforms import LoadClipAnnotations
from mmcico.models.vis.data_samples import full_boxes, full_masks

register_all_modules(init_default_scope=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tiny.whole_video(tmp_path_factory.mktemp('video'))


def dataset(folder, *steps, **kwargs):
    load = {key: kwargs.pop(key) for key in ('annotated', 'sample') if key in kwargs}
    return VISDataset(
        ann_file='instances.json',
        data_root=str(folder),
        data_prefix=dict(img='img'),
        pipeline=tiny.pipeline(*steps, **load),
        **kwargs,
    )


def boxes(frame):
    return get_box_tensor(frame.gt_instances.bboxes).tolist()


def test_a_packed_clip_by_hand(folder):
    packed = dataset(folder)[0]
    inputs, sample = packed['inputs'], packed['data_samples']
    assert inputs.shape == (3, 3, 8, 12) and inputs.dtype == torch.uint8
    for t in range(3):
        assert (inputs[t, 0, :, 6:].float() - (40 * t + 20)).abs().max() <= 1
        assert (inputs[t, 0, :, :6].float() - (40 * t + 10)).abs().max() <= 1
    assert (sample.frame_ids, sample.key_index, sample.video_id) == ((0, 1, 2), 0, 7)
    assert 'num_final' not in sample
    first, second, third = sample.video_data_samples
    assert boxes(first) == [[2, 1, 6, 4]]
    assert first.gt_instances.labels.tolist() == [2]
    assert first.gt_instances.instances_ids.tolist() == [0]
    assert boxes(second) == [[3, 1, 7, 4], [6, 4, 8, 6]]
    assert second.gt_instances.instances_ids.tolist() == [0, 1]
    assert third.gt_instances.instances_ids.tolist() == [1]
    mask = np.zeros((2, 8, 12))
    mask[0, 1:4, 3:7], mask[1, 4:6, 6:8] = 1, 1
    assert np.array_equal(second.gt_instances.masks.masks, mask)


def test_crowds_are_ignored_instances(folder):
    first, second, _ = dataset(folder)[0]['data_samples'].video_data_samples
    ignored = first.ignored_instances
    assert get_box_tensor(ignored.bboxes).tolist() == [[0, 0, 3, 2]]
    assert ignored.masks.masks[0].sum() == 6
    assert len(second.ignored_instances) == 0


def test_meta_information_of_a_test_clip(folder):
    resize = dict(type='Resize', scale=(24, 16), keep_ratio=True)
    data = dataset(folder, resize, annotated=False, test_mode=True)
    sample = data[1]['data_samples']
    assert (sample.frame_ids, sample.num_final) == ((2, 3, 4), 3)
    for t, frame in enumerate(sample.video_data_samples):
        assert frame.video_id == 7 and frame.video_length == 5
        assert frame.frame_id == 2 + t and frame.img_name == tiny.NAMES[2 + t]
        assert frame.img_path == str(folder / 'img' / tiny.NAMES[2 + t])
        assert frame.ori_shape == (8, 12) and frame.img_shape == (16, 24)
        assert frame.scale_factor == (2, 2)
        assert 'instances' not in frame.metainfo
    last = data[2]['data_samples']
    assert (last.frame_ids, last.num_final) == ((0, 1, 1), 2)


DOUBLE = dict(type='Resize', scale=(24, 16))
PAD = dict(type='Pad', size=(32, 40))


@pytest.mark.parametrize(
    'factor, steps',
    [
        (2, [DOUBLE]),
        (2, [DOUBLE, PAD]),
        (2, [dict(DOUBLE, type='mmcv.Resize'), PAD]),
        (2, [dict(type='Resize', scale=(48, 32)), DOUBLE, PAD]),
        (2, [dict(type='FixShapeResize', width=24, height=32, keep_ratio=True)]),
        (1, [PAD]),
    ],
)
def test_results_are_where_the_frame_is_without_padding(folder, factor, steps):
    frame = dataset(folder, *steps, test_mode=True)[0]['data_samples'][0]
    box = torch.tensor([[3.0, 1, 7, 4]])
    assert full_boxes(factor * box, frame).tolist() == box.tolist()
    probs = torch.zeros(1, *frame.img_shape)
    probs[:, factor : 4 * factor, 3 * factor : 7 * factor] = 1
    mask = full_masks(probs, frame, frame.img_shape)[0]
    assert mask.shape == (8, 12) and mask.sum() == 12 and mask[1:4, 3:7].all()


def test_resize_and_flip_by_hand(folder):
    data = dataset(folder, dict(type='Resize', scale=(24, 16)), dict(type='RandomFlip', prob=1.0))
    packed = data[0]
    second = packed['data_samples'].video_data_samples[1]
    # x: [3, 7] * 2 = [6, 14] -> 24 - [14, 6]; y: [1, 4] * 2
    assert boxes(second)[0] == [10, 2, 18, 8]
    mask = np.zeros((16, 24))
    mask[2:8, 10:18] = 1
    assert np.array_equal(second.gt_instances.masks.masks[0], mask)
    assert second.flip and second.flip_direction == 'horizontal'
    assert packed['inputs'][0, 0, 0, 0] > packed['inputs'][0, 0, 0, -1]


def test_the_query_is_in_every_clip(folder):
    for method in ('consecutive', 'neighbours'):
        data = dataset(folder, sample=dict(method=method))
        for i in range(len(data)):
            clip = data[i]['data_samples']
            key = data.get_data_info(i)['key_frame_id']
            assert clip.frame_ids[clip.key_index] == key
            ids = [f.frame_id for f in clip.video_data_samples]
            assert ids == list(clip.frame_ids)
    with pytest.raises(ValueError, match="'all' is none of"):
        dataset(folder, sample=dict(method='all'))


def test_query_frame_of_models_that_want_one(folder):
    """Key and reference frames, as MaskTrack R-CNN asks for them."""
    data = dataset(folder, sample=dict(method='neighbours', reach=1), num_frames=2)
    for i in range(len(data)):
        sample = data[i]['data_samples']
        key = data.get_data_info(i)['key_frame_id']
        assert [frame.frame_id for frame in sample.get_key_frames()] == [key]
        (other,) = sample.get_ref_frames()
        assert abs(other.frame_id - key) == 1
        assert other.ori_video_length == other.video_length


def test_whole_videos_are_clips_of_a_test(folder):
    data = dataset(folder, annotated=False, test_mode=True, num_frames=None)
    samples = [data[i]['data_samples'] for i in range(len(data))]
    assert [sample.frame_ids for sample in samples] == [(0, 1, 2, 3, 4), (0, 1)]
    assert [sample.num_final for sample in samples] == [5, 2]
    with pytest.raises(ValueError, match='num_frames=None .* needs test_mode=True'):
        dataset(folder, num_frames=None)


def random_frame(size=(40, 60)):
    """One frame with five objects, of noise in every pixel."""
    rng = np.random.default_rng(0)
    masks = np.zeros((5, *size), np.uint8)
    found = []
    for k in range(5):
        x, y = 10 * k + 2, 6 * k + 2
        masks[k, y : y + 6, x : x + 8] = 1
        found.append([x, y, x + 8, y + 6])
    return dict(
        img=rng.integers(0, 255, (*size, 3), dtype=np.uint8),
        img_shape=size,
        ori_shape=size,
        gt_bboxes=np.array(found, np.float32),
        gt_bboxes_labels=np.arange(5),
        gt_instances_ids=np.arange(5) + 10,
        gt_ignore_flags=np.zeros(5, bool),
        gt_masks=BitmapMasks(masks, *size),
    )


TRANSFORM_CFGS = [
    dict(type='Resize', scale=(90, 60), keep_ratio=True),
    dict(type='RandomResize', scale=[(60, 40), (120, 80)], keep_ratio=True),
    dict(type='RandomChoiceResize', scales=[(60, 40), (90, 60), (120, 80)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomFlip', prob=[0.3, 0.3, 0.3], direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCrop', crop_size=(30, 20), allow_negative_crop=True),
    dict(
        type='RandomCrop',
        crop_type='relative_range',
        crop_size=(0.3, 0.3),
        allow_negative_crop=True,
    ),
]


def image_of(frame):
    return frame['img'].tobytes(), frame['img'].shape


def objects_of(frame):
    return (
        frame['gt_bboxes'].tolist(),
        frame['gt_masks'].masks.tolist(),
        frame['gt_instances_ids'].tolist(),
        frame['gt_bboxes_labels'].tolist(),
    )


@pytest.mark.parametrize('cfg', TRANSFORM_CFGS, ids=lambda c: c['type'] + str(len(c)))
def test_equal_frames_change_alike(cfg):
    """Also: calls differ from one another, or it would not be random."""
    np.random.seed(0)
    random.seed(0)
    step = TRANSFORMS.build(
        dict(type='TransformBroadcaster', share_random_params=True, transforms=[cfg])
    )
    seen = set()
    for _ in range(12):
        frames = [random_frame() for _ in range(3)]
        packed = {key: [f[key] for f in frames] for key in frames[0]}
        result = step(packed)
        out = [{key: result[key][t] for key in frames[0]} for t in range(3)]
        assert image_of(out[0]) == image_of(out[1]) == image_of(out[2])
        assert objects_of(out[0]) == objects_of(out[1]) == objects_of(out[2])
        seen.add(image_of(out[0]))
    assert len(seen) == 1 if cfg['type'] == 'Resize' else len(seen) > 1


def test_crops_keep_ids_with_their_boxes():
    np.random.seed(1)
    crop = TRANSFORMS.build(TRANSFORM_CFGS[-2])
    dropped = 0
    for _ in range(20):
        frame = crop(random_frame())
        ids = frame['gt_instances_ids'] - 10
        assert ids.tolist() == frame['gt_bboxes_labels'].tolist()
        found = frame['gt_bboxes']
        assert len(ids) == len(found) == len(frame['gt_masks'])
        for box, mask in zip(found, frame['gt_masks'].masks):
            ys, xs = np.nonzero(mask)
            assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        dropped += 5 - len(ids)
    assert dropped > 0


def test_a_transform_that_forgets_ids_is_named(folder):
    """MMDetection's FilterAnnotations knows nothing of instance ids."""
    data = dataset(
        folder, dict(type='FilterAnnotations', min_gt_bbox_wh=(2.5, 2.5), keep_empty=False)
    )
    with pytest.raises(ValueError, match="frame 0 in some fields only.*'gt_instances_ids': 2"):
        data[0]


def test_frames_of_unequal_size_are_named(folder):
    scales = [(12 * k, 8 * k) for k in range(1, 30)]
    data = dataset(folder, dict(type='RandomChoiceResize', scales=scales, keep_ratio=True))
    data.pipeline.transforms[1].share_random_params = False
    np.random.seed(0)
    with pytest.raises(
        ValueError,
        match=r'video 7, frames \(0, 1, 2\) '
        'differ in size',
    ):
        data[0]


def test_pixels_may_be_floats(folder):
    steps = tiny.pipeline()
    steps[1]['transforms'][0]['to_float32'] = True
    data = VISDataset(
        ann_file='instances.json',
        data_root=str(folder),
        data_prefix=dict(img='img'),
        pipeline=steps,
    )
    assert data[0]['inputs'].dtype == torch.float32


def test_pipelines_can_be_printed(folder):
    said = repr(dataset(folder).pipeline)
    assert "PackClipInputs(meta_keys=('" in said and 'TransformBroadcaster' in said
    assert "ClipFrameSample(method='consecutive', reach=None)" in said
    assert repr(ClipCopyPaste(max_objects=3)) == 'ClipCopyPaste(prob=0.5, max_objects=3)'
    for step in (ClipMotion(), LoadClipAnnotations()):
        assert repr(step) == f'{type(step).__name__}()'
