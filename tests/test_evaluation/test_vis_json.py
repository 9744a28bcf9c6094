import json

import pytest
from small_sets import small_set
from vis_files import SIZE, annotation, ground_truth, result, segmentations

from mmcico.datasets.annotation_files import parse_annotations
from mmcico.evaluation import load_json, read_ground_truth, read_results
from mmcico.evaluation.tracks import Video, occlusion_score

BOX = (1, 1, 4, 3)


def edited(entry, **changes):
    return {**entry, **changes}


@pytest.mark.parametrize('annotations', [None, []])
def test_without_annotations(annotations):
    truth = read_ground_truth(ground_truth(annotations))
    assert not truth.has_annotations and truth.tracks == {}
    source = ground_truth()
    del source['annotations']
    assert not read_ground_truth(source).has_annotations


def test_videos_and_categories_in_order_of_ids():
    source = ground_truth([], [2, 3])
    source['videos'].reverse()
    source['videos'].append(dict(source['videos'][0], id='extra'))
    source['categories'] = [dict(id=12, name='cat'), dict(id=3, name='cat'), dict(id=4)]
    truth = read_ground_truth(source)
    assert [(v.id, v.length) for v in truth.videos] == [(0, 2), (1, 3), ('extra', 3)]
    assert truth.categories == [(3, 'cat (3)'), (4, '4'), (12, 'cat (12)')]


def test_length_comes_from_file_names_when_not_stated():
    source = ground_truth([])
    del source['videos'][0]['length']
    source['videos'][0]['file_names'] = ['a.jpg'] * 5
    assert read_ground_truth(source).videos[0].length == 5


def test_all_forms_of_masks_give_the_same_track():
    x1, y1, x2, y2 = BOX
    runs = [8 + 1, 2, 6, 2, 6, 2, 8 * 6 + 5]
    forms = [
        segmentations([BOX])[0],
        dict(size=[*SIZE], counts=runs),
        [[x1, y1, x2, y1, x2, y2, x1, y2]],
        None,
    ]
    source = ground_truth([edited(annotation([]), segmentations=forms, iscrowd=1)], [4])
    (track,) = read_ground_truth(source).tracks[0, 0]
    assert track.masks[0] == track.masks[1] == track.masks[2]
    assert track.masks[3] is None
    assert track.areas.tolist() == [6, 6, 6, 0]
    assert track.mean_area == 6 and track.crowd


def test_track_without_any_mask():
    truth = read_ground_truth(ground_truth([annotation([None, None])]))
    assert truth.tracks[0, 0][0].mean_area == 0
    (track,) = read_results([result([None, None])], truth)[0, 0]
    assert track.areas.tolist() == [0, 0]


def test_stated_areas_count_only_where_they_are_positive():
    truth = read_ground_truth(ground_truth([annotation([BOX, BOX, BOX], areas=[4, 0, 8.0])], [3]))
    assert truth.tracks[0, 0][0].mean_area == 6


@pytest.mark.parametrize(
    'levels, expected',
    [
        ([], 0),
        ([None, None], 0),
        (['slight_occlusion'], 0.25),
        (['no_occlusion', 'severe_occlusion'], 0.75),
        (['no_occlusion', None, 'severe_occlusion', 'slight_occlusion'], 0.5),
    ],
)
def test_occlusion_score_by_hand(levels, expected):
    video = Video(0, SIZE, len(levels))
    assert occlusion_score(levels, video, '') == expected


def test_annotations_without_occlusion_are_counted():
    truth = read_ground_truth(
        ground_truth(
            [annotation([BOX, BOX]), annotation([BOX, BOX], occlusion=['no_occlusion', None])]
        )
    )
    assert truth.without_occlusion == 1


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(segmentations=None), 'segmentations is NoneType instead of a list'),
        (dict(segmentations=[None]), 'segmentations has 1 entries, .* 2 frames'),
        (
            dict(segmentations=[None, dict(size=[9, 9], counts='1')]),
            r'frame 1: field segmentations: size \[9, 9\]',
        ),
        (
            dict(segmentations=[dict(size=[*SIZE], counts='11'), None]),
            'frame 0: field segmentations: the runs .* 8 x 10',
        ),
        (dict(areas=[1]), 'areas has 1 entries'),
        (dict(areas=[1, 'x']), "frame 1: field areas is 'x'"),
        (dict(areas=[1, True]), 'frame 1: field areas is True'),
        (dict(occlusion=['none', None]), "frame 0: field occlusion is 'none'"),
        (dict(occlusion=[None, ['x']]), 'frame 1: field occlusion is'),
        (dict(iscrowd='0'), "field 'iscrowd' is '0', neither 0 nor 1"),
    ],
)
def test_broken_annotation_is_named(change, message):
    source = ground_truth([edited(annotation([BOX, BOX]), id=5, **change)])
    with pytest.raises(ValueError) as error:
        read_ground_truth(source, 'gt.json')
    error.match(r'gt\.json: annotation 0 \(id 5\) of video 0: ')
    error.match(message)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(video_id=9), r'results: track 0: field video_id is 9.* the 1 in'),
        (dict(category_id=1), 'field category_id is 1, which is none of the 2'),
        (dict(category_id=None), 'field category_id is None'),
        (dict(category_id=True), 'field category_id is True'),
        (dict(score=None), 'track 0 of video 0: field score is None'),
        (dict(score=float('nan')), 'field score is nan'),
        (dict(score=True), 'field score is True instead of a finite number'),
        (dict(score=10**400), 'field score is 1000'),
        (dict(segmentations=[None] * 3), 'track 0 of video 0.* 3 entries'),
    ],
)
def test_broken_result_is_named(change, message):
    truth = read_ground_truth(ground_truth([]))
    with pytest.raises(ValueError, match=message):
        read_results([edited(result([BOX, None]), **change)], truth)


@pytest.mark.parametrize(
    'place, change, message',
    [
        ('videos', dict(id=None), r'videos\[0\] has no "id"'),
        ('videos', dict(height=0), 'video 0: field height is 0'),
        ('videos', dict(width=None), 'video 0: field width is None'),
        ('videos', dict(length='2'), "video 0: field length is '2'"),
        ('categories', dict(id=11), r'categories\[1\]: id 11 is there twice'),
        ('categories', dict(id='11'), r'categories\[1\]: id 11 is there twice'),
    ],
)
def test_broken_lists_are_named(place, change, message):
    source = ground_truth([])
    source[place][0].update(change)
    with pytest.raises(ValueError, match=f'gt.json: {message}'):
        read_ground_truth(source, 'gt.json')


@pytest.mark.parametrize('content', ['[]', '{"videos": []}', '3'])
def test_other_json_is_no_ground_truth(tmp_path, content):
    path = tmp_path / 'other.json'
    path.write_text(content)
    with pytest.raises(ValueError, match='other.json: expected an object'):
        read_ground_truth(path)


def test_annotations_of_another_type():
    for wrong in (dict(a=1), {}, '', 0, False):
        with pytest.raises(ValueError, match="'annotations' is a .* not a li"):
            read_ground_truth(ground_truth(wrong))
        with pytest.raises(ValueError, match="'annotations' is a .* not a li"):
            parse_annotations(dict(small_set(), annotations=wrong), 'f.json')
    with pytest.raises(ValueError, match='annotation 0 is str'):
        read_ground_truth(ground_truth(['text']))


def test_results_must_be_a_list(tmp_path):
    path = tmp_path / 'results.json'
    path.write_text('{"results": []}')
    truth = read_ground_truth(ground_truth([]))
    with pytest.raises(ValueError, match='results.json: .* found dict'):
        read_results(path, truth)


def test_cut_file_is_named_with_position(tmp_path):
    path = tmp_path / 'cut.json'
    path.write_text(json.dumps(ground_truth([]), indent=1)[:60])
    with pytest.raises(ValueError, match=r'cut\.json .* line \d+, column'):
        load_json(path)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError, match='cut.json is not JSON: byte 7'):
        load_json(path)
    with pytest.raises(ValueError, match='none.json cannot be read'):
        load_json(tmp_path / 'none.json')
    path.write_bytes(b'\xef\xbb\xbf[1]')  # as editors on Windows write
    assert load_json(path) == [1]
