import copy

import pytest
from small_sets import box_mask, compressed, small_set, spoilt

from mmcico.analysis.check_file import check_data, check_file

A0, A1 = ('annotations', 0), ('annotations', 1)
GOOD = small_set()


def found(data, level='error'):
    """(kind, video, frame, annotation, field) of everything found."""
    report = check_data(data, 'f.json')
    assert report.as_dict()['errors'] == report.num_errors
    return [
        (d.kind, d.place.video, d.place.frame, d.place.annotation, d.place.field)
        for d in report.found
        if d.level == level
    ]


def test_a_sound_file_has_no_defect():
    report = check_data(small_set(), 'f.json')
    assert report.found == []
    assert report.checked == dict(videos=2, frames=5, objects=3, masks=5, crowds=1)
    assert report.summary_text().endswith('0 errors, 0 warnings; sound')


ONE_DEFECT = [
    # lists and ids
    (('videos', 1, 'id'), 0, ('id', 0, None, None, 'videos[1].id')),
    (('videos', 1, 'id'), '0', ('id', '0', None, None, 'videos[1].id')),
    (('videos', 1, 'id'), ..., ('id', 'no. 1', None, None, 'videos[1].id')),
    ((*A1, 'id'), None, ('id', None, None, 'no. 1', 'annotations[1].id')),
    ((*A1, 'id'), 0, ('id', None, None, 0, 'annotations[1].id')),
    (('categories', 1, 'id'), 3, ('id', None, None, None, 'categories[1].id')),
    ((*A1, 'video_id'), 99, ('reference', 99, None, 1, 'video_id')),
    ((*A1, 'video_id'), ..., ('reference', None, None, 1, 'video_id')),
    ((*A1, 'category_id'), 41, ('reference', 7, None, 1, 'category_id')),
    # lengths and sizes
    (('videos', 0, 'length'), 4, ('length', 0, None, None, 'length')),
    ((*A0, 'bboxes'), [[1.0, 1, 4, 2]], ('length', 0, None, 0, 'bboxes')),
    ((*A0, 'length'), 2, ('length', 0, None, 0, 'length')),
    ((*A0, 'segmentations'), 5, ('length', 0, None, 0, 'segmentations')),
    ((*A0, 'areas'), 'x', ('length', 0, None, 0, 'areas')),
    ((*A0, 'height'), 7, ('size', 0, None, 0, 'height')),
    (('videos', 1, 'width'), 'x', ('size', 7, None, None, 'width')),
    # names
    (('videos', 0, 'file_names', 1), '', ('name', 0, 1, None, 'file_names')),
    (('videos', 0, 'file_names', 0), 'a/11.jpg', ('order', 0, 1, None, 'file_names')),
    # masks
    ((*A0, 'segmentations', 0, 'counts'), '1P', ('mask', 0, 0, 0, 'segmentations')),
    ((*A0, 'segmentations', 1, 'counts'), [47], ('mask', 0, 1, 0, 'segmentations')),
    ((*A0, 'segmentations', 1, 'size'), [8, 6], ('size', 0, 1, 0, 'segmentations')),
    ((*A0, 'segmentations', 2), [[1, 2, 3]], ('mask', 0, 2, 0, 'segmentations')),
    # boxes and areas
    ((*A0, 'bboxes', 1), [1, 2, 3], ('box', 0, 1, 0, 'bboxes')),
    ((*A0, 'bboxes', 1), [2, 1, 4, float('inf')], ('box', 0, 1, 0, 'bboxes')),
    ((*A0, 'bboxes', 1), [2, 1, 0, 2], ('box', 0, 1, 0, 'bboxes')),
    ((*A0, 'bboxes', 0), [1, 1, 4, 4], ('box', 0, 0, 0, 'bboxes')),
    ((*A0, 'bboxes', 1), None, ('presence', 0, 1, 0, 'bboxes')),
    ((*A1, 'bboxes', 0), [1, 1, 2, 2], ('presence', 7, 0, 1, 'bboxes')),
    ((*A0, 'areas', 1), 9, ('area', 0, 1, 0, 'areas')),
    ((*A0, 'areas', 1), -8, ('area', 0, 1, 0, 'areas')),
    ((*A0, 'areas', 1), None, ('presence', 0, 1, 0, 'areas')),
    # classes, crowds, words
    (('categories', 1, 'name'), 'Cat', ('category', None, None, None, 'categories[1].name')),
    (('categories', 1, 'name'), ..., ('category', None, None, None, 'categories[1].name')),
    ((*A0, 'iscrowd'), 2, ('crowd', 0, None, 0, 'iscrowd')),
    ((*A0, 'iscrowd'), 'no', ('crowd', 0, None, 0, 'iscrowd')),
    ((*A0, 'occlusion', 1), 'half', ('occlusion', 0, 1, 0, 'occlusion')),
    ((*A0, 'occlusion', 1), None, ('occlusion', 0, 1, 0, 'occlusion')),
    ((*A0, 'occlusion'), ..., ('occlusion', 0, None, 0, 'occlusion')),
    (('annotations',), 5, ('layout', None, None, None, 'annotations')),
]


@pytest.mark.parametrize('path, value, expected', ONE_DEFECT)
def test_each_defect_is_named(path, value, expected):
    assert expected in found(spoilt(GOOD, path, value))


def test_one_defect_is_one_line():
    extra = {
        # an id that is gone, or a list that is cut, breaks what leads to it
        ('videos', 1, 'id'),
        ('categories', 1, 'id'),
        (*A0, 'bboxes'),
        (*A0, 'segmentations'),
        ('videos', 1, 'width'),
    }
    for path, value, _ in ONE_DEFECT:
        if path not in extra:
            assert len(found(spoilt(GOOD, path, value))) == 1, (path, value)


def test_all_defects_at_once_are_all_found():
    changes = [
        (('videos', 0, 'length'), 4, ('length', 0, None, None, 'length')),
        (('videos', 1, 'file_names', 0), 'b/2.jpg', ('order', 7, 1, None, 'file_names')),
        ((*A0, 'segmentations', 0), 'x', ('mask', 0, 0, 0, 'segmentations')),
        ((*A0, 'bboxes', 0), [0, 0, 9, 1], ('box', 0, 0, 0, 'bboxes')),
        ((*A0, 'areas', 0), 'x', ('area', 0, 0, 0, 'areas')),
        ((*A0, 'segmentations', 1, 'counts'), [1], ('mask', 0, 1, 0, 'segmentations')),
        ((*A0, 'bboxes', 2), [0, 0], ('box', 0, 2, 0, 'bboxes')),
        ((*A0, 'areas', 2), 20, ('area', 0, 2, 0, 'areas')),
        ((*A0, 'occlusion', 2), 'x', ('occlusion', 0, 2, 0, 'occlusion')),
        ((*A1, 'category_id'), 5, ('reference', 7, None, 1, 'category_id')),
        ((*A1, 'iscrowd'), 5, ('crowd', 7, None, 1, 'iscrowd')),
        (('annotations', 2, 'id'), 1, ('id', None, None, 1, 'annotations[2].id')),
        (('categories', 0, 'name'), '', ('category', None, None, None, 'categories[0].name')),
    ]
    data = GOOD
    for path, value, _ in changes:
        data = spoilt(data, path, value)
    assert sorted(map(str, found(data))) == sorted(str(line) for _, _, line in changes)


def test_empty_track_and_mask_without_pixels():
    data = copy.deepcopy(GOOD)
    for key in ('segmentations', 'bboxes', 'areas', 'occlusion'):
        data['annotations'][1][key] = [None, None]
    assert found(data) == [('empty', 7, None, 1, 'segmentations')]
    blank = compressed(box_mask(0, 0, 0, 0))
    data['annotations'][1]['segmentations'] = [blank, None]
    assert found(data) == [
        ('empty', 7, None, 1, 'segmentations'),
        ('occlusion', 7, 0, 1, 'occlusion'),
    ]
    assert found(data, 'warning')[0] == ('presence', 7, 0, 1, 'segmentations')


@pytest.mark.parametrize(
    'box, is_fine',
    [
        ([1.5, 1, 4, 2], True),
        ([0.0, 0, 6, 4], True),
        ([2.1, 1, 4, 2], False),
        ([1, 1, 5.2, 2], False),
        ([1, 1, 4, 0.9], False),
    ],
)
def test_boxes_may_differ_by_a_pixel(box, is_fine):
    lines = found(spoilt(GOOD, (*A0, 'bboxes', 0), box))
    assert lines == ([] if is_fine else [('box', 0, 0, 0, 'bboxes')])


@pytest.mark.parametrize(
    'box, count',
    [([0, 0, 8.4, 6], 0), ([0, 0, 8.6, 6], 1), ([-0.6, 0, 8, 6], 1), ([0, -3, 8, 12], 2)],
)
def test_boxes_must_lie_in_the_frame(box, count):
    lines = found(spoilt(GOOD, (*A1, 'bboxes', 1), box))
    assert lines == [('box', 7, 1, 1, 'bboxes')] * count


def message_of(data):
    report = check_data(data, 'f.json')
    assert report.num_errors == 1
    return report.found[0].line()


def test_likely_mistakes_are_guessed():
    corners = spoilt(GOOD, (*A0, 'bboxes', 1), [2, 1, 6, 3])
    assert message_of(corners) == (
        'error [box] f.json: video 0, frame 1 (a/10.jpg), annotation 0, field '
        "'bboxes' = [2, 1, 6, 3]: is up to 2 pixels away from its mask, whose "
        'box is [2, 1, 4, 2]; it looks like [x1, y1, x2, y2]'
    )
    thin = copy.deepcopy(GOOD)
    thin['annotations'][1]['segmentations'][1] = compressed(
        box_mask(0, 0, 8, 1) | box_mask(0, 0, 1, 6)
    )
    assert message_of(thin).endswith(
        "'areas' = 48: the mask has 13 pixels; it is the area of the box"
    )


def test_annotations_may_be_missing_in_every_way():
    for value in (..., None, []):
        data = spoilt(GOOD, ('annotations',), value)
        assert found(data) == []
        assert found(data, 'warning') == [('empty', None, None, None, 'annotations')]


def test_unused_class_and_repeated_name_are_warnings():
    data = copy.deepcopy(GOOD)
    data['categories'].append(dict(id=41, name='cow'))
    data['videos'][1]['file_names'] = ['b/0.jpg', 'b/0.jpg']
    assert found(data) == []
    assert found(data, 'warning') == [
        ('name', 7, 1, None, 'file_names'),
        ('category', None, None, None, 'categories'),
    ]


def test_texts_as_ids():
    data = copy.deepcopy(GOOD)
    data['videos'][0]['id'] = 'first'
    data['annotations'][0]['video_id'] = 'first'
    data['annotations'][1]['video_id'] = '7'
    data['annotations'][1]['category_id'] = 40.0
    data['categories'][0]['id'] = '3'
    assert found(data) == []


def test_one_line_names_file_video_frame_field_and_value():
    text = message_of(spoilt(GOOD, (*A0, 'areas', 1), 9))
    assert text == (
        'error [area] f.json: video 0, frame 1 (a/10.jpg), '
        "annotation 0, field 'areas' = 9: the mask has 8 pixels"
    )


@pytest.mark.parametrize(
    'data',
    [
        [],
        'x',
        None,
        5,
        {},
        dict(videos=[]),
        dict(videos={}, categories=3),
        dict(videos=[1], categories=[None]),
    ],
)
def test_no_annotation_file_at_all(data):
    report = check_data(data, 'f.json')
    assert report.summary()['layout'][0] >= 1


def test_files_that_cannot_be_read(tmp_path):
    for content in ('{"videos": [', '', '\x00'):
        (tmp_path / 'a.json').write_text(content)
        report = check_file(str(tmp_path / 'a.json'))
        assert report.summary() == dict(layout=(1, 0))
    assert check_file(str(tmp_path / 'none.json')).num_errors == 1
