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
TRACK = 'video 7, annotation 0'
FRAME = r'video 7, frame 1 \(v7/00005.jpg\), annotation 0, field '

VIS_CASES = {
    'no videos': (lambda d: d.update(videos=[]), "field 'videos' is empty"),
    'videos missing': (lambda d: d.pop('videos'), "no field 'videos'"),
    'categories missing': (lambda d: d.pop('categories'), "'categories'"),
    'category twice': (first('categories', id=5), 'category id 5 occurs'),
    'category without name': (
        first('categories', name='remove'),
        "category 40 has no field 'name'",
    ),
    'category name null': (first('categories', name=None), "category 40: field 'name' is null"),
    'crowd': (first('annotations', iscrowd='0'), TRACK + ": field 'iscrowd' is '0'"),
    'no file names': (
        first('videos', file_names='remove', length=0),
        "video 7 has no field 'file_names'",
    ),
    'empty video': (
        first('videos', file_names=[], length=0),
        "video 7 is empty: field 'file_names'",
    ),
    'wrong length': (
        first('videos', length=4),
        "video 7: field 'file_names' has 5 entries, 'length'",
    ),
    'height': (first('videos', height=0), "video 7: field 'height' is 0"),
    'width': (first('videos', width='remove'), "video 7 has no field 'width'"),
    'video twice': (first('videos', id=0), 'video id 0 occurs twice'),
    'annotation twice': (first('annotations', id=3), 'annotation id 3'),
    'annotations no list': (
        lambda d: d.update(annotations={'a': 1}),
        "field 'annotations' is a dict",
    ),
    'annotation no object': (
        lambda d: d['annotations'].insert(1, 4),
        "annotation no. 1 is '4', not an object",
    ),
    'unknown video': (
        first('annotations', video_id=8),
        r"annotation 0: field 'video_id' is 8.*\(ids 7, 0\)",
    ),
    'unknown category': (
        first('annotations', category_id=1),
        TRACK + r": field 'category_id' is 1.*ids 40, 5, 0",
    ),
    'no masks': (
        first('annotations', segmentations='remove'),
        TRACK + " has no field 'segmentations'",
    ),
    'masks short': (
        first('annotations', segmentations=[None] * 4),
        TRACK + ": field 'segmentations' has 4 .* 5 frames",
    ),
    'boxes long': (
        first('annotations', bboxes=[None] * 6),
        TRACK + ": field 'bboxes' has 6 entries",
    ),
    'areas no list': (first('annotations', areas=3), TRACK + ": field 'areas' has no entries"),
    'occlusion short': (
        first('annotations', occlusion=[]),
        TRACK + ": field 'occlusion' has 0 entries",
    ),
    'mask size': (
        in_list('segmentations', 1, BAD_MASK),
        FRAME + r"'segmentations': .*size \[12, 8\].*\[8, 12\]",
    ),
    'runs': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=[95])),
        FRAME + "'segmentations': .*the runs have 95 pix",
    ),
    'negative runs': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=[-4, 100])),
        FRAME + "'segmentations': .*run no. 0",
    ),
    'no counts': (
        in_list('segmentations', 1, dict(size=[8, 12])),
        FRAME + "'segmentations': .* neither RLE",
    ),
    'counts of no kind': (
        in_list('segmentations', 1, dict(size=[8, 12], counts=7)),
        FRAME + "'segmentations': 'counts' is a int",
    ),
    'flat polygon': (
        in_list('segmentations', 1, [1, 1, 5, 1, 5, 5]),
        FRAME + "'segmentations': 1 is no polygon",
    ),
    'odd polygon': (
        in_list('segmentations', 1, [[1, 1, 5, 1, 5, 5, 2]]),
        FRAME + "'segmentations': .* is no polygon",
    ),
    'mask of no kind': (
        in_list('segmentations', 1, 'mask.png'),
        FRAME + "'segmentations': .* neither RLE",
    ),
    'box': (in_list('bboxes', 1, [1, 2, 3]), FRAME + r"'bboxes': box \[1, 2, 3\] is not"),
}


@pytest.mark.parametrize('case', VIS_CASES)
def test_bad_youtube_vis(tmp_path, case):
    edit, message = VIS_CASES[case]
    data = tiny.content()
    edit(data)
    with pytest.raises(ValueError, match=message) as error:
        opened(tmp_path, json.dumps(data))
    assert str(tmp_path / 'bad.json') in str(error.value)


def again(data):
    data['annotations'].append(dict(data['annotations'][0]))


# images are listed from the last to the first: image 6 is b.jpg of video 0
PLACE = r'video 7, frame 0 \(v7/00000.jpg\), annotation 1'
COCOVID_CASES = {
    'no images': (lambda d: d.update(images=[]), 'video 7 is empty'),
    'size': (
        first('images', height=9),
        r"video 0, frame 1 \(v0/b.jpg\): fields 'height' and 'width' "
        r'are \(9, 12\), those of frame 0 \(8, 12\)',
    ),
    'unknown video': (first('images', video_id=3), "image 6: field 'video_id' is 3"),
    'frame twice': (first('images', frame_id=0), "video 0: field 'frame_id'"),
    'frame no number': (first('images', frame_id='one'), "image 6: field 'frame_id' is 'one'"),
    'no file': (first('images', file_name='remove'), "image 6 has no field 'file_name'"),
    'unknown image': (
        first('annotations', image_id=99),
        "annotation no. 0: field 'image_id' is 99",
    ),
    'unknown category': (first('annotations', category_id=2), PLACE + ": field 'category_id' is 2"),
    'no instance': (
        first('annotations', instance_id='remove'),
        PLACE + " has no field 'instance_id'",
    ),
    'no mask': (
        first('annotations', segmentation='remove'),
        PLACE + " has no field 'segmentation'",
    ),
    'mask size': (first('annotations', segmentation=BAD_MASK), PLACE + ", field 'segmentation': "),
    'box': (first('annotations', bbox=[1]), PLACE + ", field 'bbox': "),
    'crowd': (first('annotations', iscrowd='no'), PLACE + ": field 'iscrowd' is 'no'"),
    'twice': (again, 'occurs twice in the frame'),
    'class changes': (
        first('annotations', category_id=0),
        "field 'category_id' of instance 0 is 40",
    ),
}


@pytest.mark.parametrize('case', COCOVID_CASES)
def test_bad_cocovid(tmp_path, case):
    edit, message = COCOVID_CASES[case]
    data = tiny.as_cocovid(tiny.content())
    edit(data)
    with pytest.raises(ValueError, match=message) as error:
        opened(tmp_path, json.dumps(data))
    assert str(tmp_path / 'bad.json') in str(error.value)


@pytest.mark.parametrize(
    'text, message',
    [
        (json.dumps(tiny.content())[:200], 'not complete JSON.*of 200'),
        ('', 'not complete JSON'),
        ('[]', 'holds a list, not an object with videos'),
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
        (5, "'counts' is a int"),
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
