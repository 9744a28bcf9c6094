import copy
import json

import pytest
from small_sets import small_cocovid, spoilt

from mmcico.analysis.check_file import check_data

GOOD = small_cocovid()


def found(data):
    return [
        (d.kind, d.place.video, d.place.frame, d.place.annotation, d.place.field)
        for d in check_data(data, 'f.json').found
        if d.level == 'error'
    ]


def test_a_sound_file_has_no_defect():
    report = check_data(small_cocovid(), 'f.json')
    assert report.found == []
    assert report.checked == dict(videos=2, frames=5, objects=3, masks=5, crowds=1)


@pytest.mark.parametrize(
    'path, value, expected',
    [
        (('images', 1, 'id'), 0, ('id', None, None, None, 'images[1].id')),
        (('images', 1, 'video_id'), 4, ('reference', None, None, None, 'images[1].video_id')),
        (('images', 1, 'frame_id'), 'x', ('order', None, None, None, 'images[1].frame_id')),
        (('images', 1, 'frame_id'), 0, ('order', 0, 1, None, 'frame_id')),
        (('images', 1, 'file_name'), ..., ('name', 0, 1, None, 'file_name')),
        (('images', 1, 'file_name'), 'a/1.jpg', ('order', 0, 1, None, 'file_names')),
        (('images', 1, 'height'), 9, ('size', 0, 1, None, 'height, width')),
        (('annotations', 1, 'image_id'), 77, ('reference', None, None, 1, 'image_id')),
        (('annotations', 1, 'image_id'), 0, ('id', 0, 0, 1, 'instance_id')),
        (('annotations', 1, 'instance_id'), ..., ('id', 0, 1, 1, 'instance_id')),
        (('annotations', 1, 'category_id'), 40, ('category', 0, 1, 1, 'category_id')),
        (('annotations', 1, 'category_id'), 41, ('reference', 0, 1, 1, 'category_id')),
        (('annotations', 1, 'iscrowd'), 7, ('crowd', 0, 1, 1, 'iscrowd')),
        (('annotations', 1, 'segmentation'), ..., ('mask', 0, 1, 1, 'segmentation')),
        (('annotations', 1, 'segmentation', 'counts'), [3], ('mask', 0, 1, 1, 'segmentation')),
        (('annotations', 1, 'bbox'), [0, 0, 1, 1], ('box', 0, 1, 'of instance 0', 'bbox')),
        (('annotations', 1, 'area'), 1, ('area', 0, 1, 'of instance 0', 'area')),
        (('annotations', 3, 'id'), 2, ('id', None, None, 2, 'annotations[3].id')),
        (('videos', 1, 'id'), 8, ('length', 8, None, None, '')),
    ],
)
def test_each_defect_is_named(path, value, expected):
    assert expected in found(spoilt(GOOD, path, value))


def test_frames_may_come_in_any_order_of_the_list():
    data = copy.deepcopy(GOOD)
    data['images'].reverse()
    data['annotations'].reverse()
    assert found(data) == []


def test_ids_of_annotations_and_boxes_may_be_left_out():
    data = copy.deepcopy(GOOD)
    for record in data['annotations']:
        del record['id'], record['bbox'], record['area']
    assert found(data) == []


def test_instances_of_two_videos_may_share_an_id():
    data = copy.deepcopy(GOOD)
    for record in data['annotations']:
        record['instance_id'] = '0' if record['instance_id'] == 0 else 2
    data['annotations'][3]['instance_id'] = 0
    report = check_data(data, 'f.json')
    assert report.num_errors == 0 and report.checked['objects'] == 3


def test_classes_are_compared_with_those_of_another_file(tmp_path):
    other = tmp_path / 'train.json'
    other.write_text(json.dumps(GOOD))
    assert check_data(small_cocovid(), 'f.json', classes_of=str(other)).num_errors == 0
    texts = copy.deepcopy(GOOD)
    for each in (*texts['categories'], *texts['annotations']):
        key = 'id' if 'name' in each else 'category_id'
        each[key] = str(each[key])  # the same ids
    assert check_data(texts, 'f.json', classes_of=str(other)).num_errors == 0
    data = copy.deepcopy(GOOD)
    first, second = (c['id'] for c in data['categories'])
    data['categories'] = [dict(id=first, name='dog'), dict(id=second, name='cow')]
    problems = check_data(data, 'f.json', classes_of=str(other)).found
    assert [(p.kind, p.place.field, p.value) for p in problems if p.level == 'error'] == [
        ('category', 'categories', 'dog'),
        ('category', 'categories', 'cow'),
    ]
    assert f'has the id {first}, in {other} it has the id {second}' in problems[-2].message
    assert f"no class is named 'cow' and {second} is 'dog'" in problems[-1].message
