"""What users get for files that are not as they should be."""

import json

import cv2
import numpy as np
import pytest
import tiny_video as tiny
from mmdet.utils import register_all_modules
from mmengine.runner import Runner

from mmcico.datasets import VISDataset

register_all_modules(init_default_scope=True)


def opened(folder, text, **kwargs):
    path = folder / 'bad.json'
    path.write_text(text)
    return VISDataset(ann_file=str(path), **kwargs)


def change(record, **values):
    for key, value in values.items():
        if value == 'remove':
            del record[key]
        else:
            record[key] = value


def first(key, **values):
    return lambda data: change(data[key][0], **values)


def in_list(key, place, value):

    def edit(data):
        data['annotations'][0][key][place] = value

    return edit


BAD_MASK = dict(size=[12, 8], counts=[96])

VIS_CASES = {
    'no videos': (lambda d: d.update(videos=[]), "field 'videos': is empty"),
    'videos missing': (lambda d: d.pop('videos'), "field 'videos': is missing; a list is needed"),
    'categories missing': (
        lambda d: d.pop('categories'),
        "field 'categories': is missing; a list is needed; is it an annotation file, not a "
        'meta.json?',
    ),
    'category twice': (
        first('categories', id=5),
        "field 'categories[1].id' = 5: is already the id of categories[0]; ids must be distinct",
    ),
    'category without name': (
        first('categories', name='remove'),
        "field 'categories[0].name': is missing; a text is needed",
    ),
    'category name null': (
        first('categories', name=None),
        "field 'categories[0].name': is null; a text is needed",
    ),
    'crowd': (
        first('annotations', iscrowd='0'),
        "video 7, annotation 0, field 'iscrowd' = '0': is neither 0 nor 1",
    ),
    'no file names': (
        first('videos', file_names='remove', length=0),
        "video 7, field 'file_names': is missing; give the name of every frame, or remove the "
        'video',
    ),
    'empty video': (
        first('videos', file_names=[], length=0),
        "video 7, field 'file_names' = []: is no list with an entry; give the name of every "
        'frame, or remove the video',
    ),
    'wrong length': (
        first('videos', length=4),
        "video 7, field 'length' = 4: the video has 5 file_names",
    ),
    'height': (
        first('videos', height=0),
        "video 7, field 'height' = 0: is not a whole number from 1 to 32768",
    ),
    'width': (
        first('videos', width='remove'),
        "video 7, field 'width': is missing; a whole number from 1 to 32768 is needed",
    ),
    'video twice': (
        first('videos', id=0),
        "video 0, field 'videos[1].id' = 0: is already the id of videos[0]; ids must be distinct",
    ),
    'annotation twice': (
        first('annotations', id=3),
        "annotation 3, field 'annotations[1].id' = 3: is already the id of annotations[0]; ids "
        'must be distinct',
    ),
    'annotations no list': (
        lambda d: d.update(annotations={'a': 1}),
        "field 'annotations': is a dict; a list is needed",
    ),
    'annotation no object': (
        lambda d: d['annotations'].insert(1, 4),
        "field 'annotations[1]' = 4: is not an object with fields",
    ),
    'unknown video': (
        first('annotations', video_id=8),
        "video 8, annotation 0, field 'video_id' = 8: is no id in 'videos' (ids 7, 0)",
    ),
    'unknown category': (
        first('annotations', category_id=1),
        "video 7, annotation 0, field 'category_id' = 1: is no id in 'categories' (ids 40, 5, 0)",
    ),
    'no masks': (
        first('annotations', segmentations='remove'),
        "video 7, annotation 0, field 'segmentations': is missing; a list with one mask a frame "
        'is needed',
    ),
    'masks short': (
        first('annotations', segmentations=[None] * 4),
        "video 7, annotation 0, field 'segmentations': has 4 entries, the video has 5 frames",
    ),
    'boxes long': (
        first('annotations', bboxes=[None] * 6),
        "video 7, annotation 0, field 'bboxes': has 6 entries, the video has 5 frames",
    ),
    'areas no list': (
        first('annotations', areas=3),
        "video 7, annotation 0, field 'areas' = 3: is not a list with one entry a frame",
    ),
    'occlusion short': (
        first('annotations', occlusion=[]),
        "video 7, annotation 0, field 'occlusion': has 0 entries, the video has 5 frames",
    ),
    'mask size': (
        in_list('segmentations', 1, BAD_MASK),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': the mask has size "
        '[12, 8], the video [8, 12] (height, width); the two numbers are swapped',
    ),
    'runs': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=[95])),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': the mask is "
        'broken: the runs have 95 pixels, height x width is 96',
    ),
    'negative runs': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=[-4, 100])),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': the mask is "
        'broken: run no. 0 is negative',
    ),
    'no counts': (
        in_list('segmentations', 1, dict(size=[8, 12])),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations' = {'size': [8, "
        '12]}: is neither RLE (an object with size and counts) nor a list of polygons nor null',
    ),
    'counts of no kind': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=7)),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': counts are 7, "
        'neither a text nor a list of whole numbers',
    ),
    'flat polygon': (
        in_list('segmentations', 1, [1, 1, 5, 1, 5, 5]),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': polygon no. 0 is "
        '1, which is no polygon; a mask is a list of polygons [x1, y1, x2, y2, ...]',
    ),
    'odd polygon': (
        in_list('segmentations', 1, [[1, 1, 5, 1, 5, 5, 2]]),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations': polygon no. 0 is "
        '[1, 1, 5, 1, 5, 5, 2], which is no polygon; a mask is a list of polygons [x1, y1, x2, '
        'y2, ...]',
    ),
    'mask of no kind': (
        in_list('segmentations', 1, 'mask.png'),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'segmentations' = 'mask.png': is "
        'neither RLE (an object with size and counts) nor a list of polygons nor null',
    ),
    'box': (
        in_list('bboxes', 1, [1, 2, 3]),
        "video 7, frame 1 (v7/00005.jpg), annotation 0, field 'bboxes' = [1, 2, 3]: is not [x, "
        'y, width, height] or null',
    ),
}


@pytest.mark.parametrize('case', VIS_CASES)
def test_bad_youtube_vis(tmp_path, case):
    edit, message = VIS_CASES[case]
    data = tiny.content()
    edit(data)
    with pytest.raises(ValueError) as error:
        opened(tmp_path, json.dumps(data))
    assert f'{tmp_path / "bad.json"}: {message}' in str(error.value)


def again(data):
    data['annotations'].append(dict(data['annotations'][0]))


# images are listed from the last to the first: image 6 is b.jpg of video 0
COCOVID_CASES = {
    'no images': (lambda d: d.update(images=[]), "field 'images': is empty"),
    'size': (
        first('images', height=9),
        "video 0, frame 1 (v0/b.jpg), field 'height, width' = (9, 12): frame 0 has (8, 12); the "
        'frames of a video must have one size',
    ),
    'unknown video': (
        first('images', video_id=3),
        "field 'images[0].video_id' = 3: is no id in 'videos' (ids 7, 0)",
    ),
    'frame twice': (
        first('images', frame_id=0),
        "video 0, frame 1 (v0/a.jpg), field 'frame_id' = 0: is there twice",
    ),
    'frame no number': (
        first('images', frame_id='one'),
        "field 'images[0].frame_id' = 'one': is not a whole number",
    ),
    'no file': (
        first('images', file_name='remove'),
        "video 0, frame 1, field 'file_name': is missing; a text is needed",
    ),
    'unknown image': (
        first('annotations', image_id=99),
        "annotation 1, field 'image_id' = 99: is no id in 'images' (ids 0, 1, 2, 3, 4, 5, 6)",
    ),
    'unknown category': (
        first('annotations', category_id=2),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'category_id' = 2: is no id in "
        "'categories' (ids 40, 5, 0)",
    ),
    'no instance': (
        first('annotations', instance_id='remove'),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'instance_id': is no id; a whole "
        'number or a text is needed that all frames of the object share (also as track_id, or '
        'attributes.track_id of CVAT)',
    ),
    'no mask': (
        first('annotations', segmentation='remove'),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'segmentation': is missing; boxes "
        'alone, as for tracking, are no masks to learn',
    ),
    'mask size': (
        first('annotations', segmentation=BAD_MASK),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'segmentation': the mask has size "
        '[12, 8], the video [8, 12] (height, width); the two numbers are swapped',
    ),
    'box': (
        first('annotations', bbox=[1]),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'bbox' = [1]: is not [x, y, width, "
        'height] or null',
    ),
    'crowd': (
        first('annotations', iscrowd='no'),
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'iscrowd' = 'no': is neither 0 nor 1",
    ),
    'twice': (
        again,
        "video 7, frame 0 (v7/00000.jpg), annotation 1, field 'instance_id' = 0: the instance is "
        'in this frame twice',
    ),
    'class changes': (
        first('annotations', category_id=0),
        "video 7, frame 1 (v7/00005.jpg), annotation 2, field 'category_id' = 40: the instance 0 "
        'was of category 0 before',
    ),
}


@pytest.mark.parametrize('case', COCOVID_CASES)
def test_bad_cocovid(tmp_path, case):
    edit, message = COCOVID_CASES[case]
    data = tiny.as_cocovid(tiny.content())
    edit(data)
    with pytest.raises(ValueError) as error:
        opened(tmp_path, json.dumps(data))
    assert f'{tmp_path / "bad.json"}: {message}' in str(error.value)


@pytest.mark.parametrize(
    'text, message',
    [
        (json.dumps(tiny.content())[:200], 'not complete JSON.*of 200'),
        ('', 'not complete JSON'),
        ('[]', 'the file holds a list, not an object with videos'),
    ],
)
def test_bad_json(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        opened(tmp_path, text)
    assert 'bad.json' in str(error.value)


def test_missing_annotation_file(tmp_path):
    with pytest.raises(ValueError, match='none.json cannot be read: No such'):
        VISDataset(ann_file='none.json', data_root=str(tmp_path))
    with pytest.raises(ValueError, match='needs ann_file'):
        VISDataset()


@pytest.mark.parametrize('setting', [dict(num_frames=0), dict(overlap=3), dict(completion='x')])
def test_bad_settings_stop_before_the_file_is_read(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        VISDataset(ann_file='none.json', **setting)


def remove(path):
    path.unlink()


def truncate(path):
    data = path.read_bytes()
    path.write_bytes(data[:-100])


def grow(path):
    cv2.imwrite(str(path), np.zeros((9, 12, 3), np.uint8))


IMAGES = {
    'missing': (remove, 'does not exist; check data_root'),
    'empty': (lambda path: path.write_bytes(b''), r'is broken \(0 bytes\)'),
    'text': (lambda path: path.write_text('<html>'), r'broken \(6 bytes\)'),
    'truncated': (truncate, 'is broken'),
    'folder': (lambda path: (path.unlink(), path.mkdir()), 'cannot be read'),
    'size': (grow, r'is \(9, 12\) \(height, width\).*says \(8, 12\)'),
}


def dataset(folder, **kwargs):
    tiny.write_json(folder, tiny.content())
    kwargs.setdefault('pipeline', tiny.pipeline())
    return VISDataset(
        ann_file='instances.json', data_root=str(folder), data_prefix=dict(img='img'), **kwargs
    )


@pytest.mark.parametrize('case', IMAGES)
@pytest.mark.parametrize('test_mode', [False, True])
def test_bad_image(tmp_path, case, test_mode):
    edit, message = IMAGES[case]
    tiny.write_frames(tmp_path)
    edit(tmp_path / 'img' / 'v7' / '00005.jpg')
    data = dataset(tmp_path, test_mode=test_mode)
    with pytest.raises(ValueError, match=message) as error:
        data[0]
    for part in ('instances.json', 'video 7, frame 1', str(tmp_path / 'img' / 'v7' / '00005.jpg')):
        assert part in str(error.value)
    assert len(data[len(data) - 1]['data_samples']) == 3


@pytest.mark.parametrize(
    'counts, message',
    [
        ('b0c0c0000000000b0b0', 'height x width is 96'),
        ('08', 'the runs have 8 pixels, height x width is 96'),
        ('', 'the runs have 0 pixels'),
        ('0_', 'cut off'),
        ([0, 8], 'the runs have 8 pixels, height x width is 96'),
        ([0, 'x'], 'neither a text nor a list of whole numbers'),
        ([97, -1], 'run no. 1 is negative'),
        (5, 'counts are 5, neither a text nor'),
    ],
)
def test_broken_counts_are_named(tmp_path, counts, message):
    content = tiny.content()
    content['annotations'][0]['segmentations'][1] = dict(size=[8, 12], counts=counts)
    path = tiny.write_json(tmp_path, content)
    with pytest.raises(ValueError, match=message) as error:
        VISDataset(ann_file=path)
    assert (
        'instances.json: video 7, frame 1 (v7/00005.jpg), annotation 0, '
        "field 'segmentations'" in str(error.value)
    )


@pytest.mark.parametrize('workers', [0, 2])
def test_workers_pass_the_message_on(tmp_path, workers):
    tiny.write_frames(tmp_path)
    remove(tmp_path / 'img' / 'v0' / 'b.jpg')
    tiny.write_json(tmp_path, tiny.content())
    loader = Runner.build_dataloader(
        dict(
            batch_size=1,
            num_workers=workers,
            sampler=dict(type='mmcico.VideoSampler'),
            dataset=dict(
                type='mmcico.VISDataset',
                ann_file='instances.json',
                data_root=str(tmp_path),
                data_prefix=dict(img='img'),
                test_mode=True,
                pipeline=tiny.pipeline(annotated=False),
            ),
        )
    )
    clips = iter(loader)
    assert next(clips)['data_samples'][0].frame_ids == (0, 1, 2)
    with pytest.raises(ValueError, match='video 0, frame 1: image .*b.jpg does not exist'):
        list(clips)
    if workers:
        # as garbage, in a cycle with the error, it takes 10 s to stop
        clips._shutdown_workers()


def test_a_clip_without_objects(tmp_path):
    tiny.write_frames(tmp_path)
    content = tiny.content()
    content['annotations'] = content['annotations'][3:]
    path = tiny.write_json(tmp_path, content)
    data = VISDataset(
        ann_file=path,
        data_prefix=dict(img=str(tmp_path / 'img')),
        filter_cfg=dict(filter_empty_gt=False),
        pipeline=tiny.pipeline(),
    )
    frames = data[0]['data_samples'].video_data_samples
    assert [len(f.gt_instances) for f in frames] == [0, 0, 0]
    assert frames[0].gt_instances.bboxes.shape == (0, 4)
    assert frames[0].gt_instances.masks.masks.shape == (0, 8, 12)


def test_a_video_shorter_than_the_clip(tmp_path):
    tiny.write_frames(tmp_path)
    data = dataset(tmp_path, num_frames=3)
    sample = data[len(data) - 1]['data_samples']
    assert sample.frame_ids == (0, 1, 1) and sample.key_index == 1
    ids = [f.frame_id for f in sample.video_data_samples]
    assert ids == [0, 1, 1]


@pytest.mark.parametrize('x', [1e30, -13, float('inf'), float('nan'), 25])
def test_corners_far_away_do_not_end_python(tmp_path, x):
    content = tiny.content()
    content['annotations'][0]['segmentations'][1] = [[0, 0, x, 0, 3, 3]]
    path = tiny.write_json(tmp_path, content)
    with pytest.raises(ValueError, match='far outside the frame of 8 x 12'):
        VISDataset(ann_file=path)
