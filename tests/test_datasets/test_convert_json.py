"""Conversion between YouTube-VIS and CocoVID, and of classes."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_api
from tiny_video import as_cocovid, content, rle

from mmcico.datasets.converters.class_maps import ClassTable, read_renames, target_classes
from mmcico.datasets.converters.collect import FreeNumbers, collect, converted_data
from mmcico.datasets.converters.json_files import json_videos
from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo
from mmcico.formats.categories import VERSIONS
from mmcico.formats.problems import Problems
from mmcico.formats.read import read_annotations
from mmcico.formats.write import write_json


def convert(data, path, to='vis', table=None, **options):
    """Content of the file that the conversion writes."""
    table, problems = table or ClassTable(), options.pop('problems', Problems('in.json'))
    file = collect(json_videos(data, 'in.json', table, problems, **options), table, problems)
    write_json(path, converted_data(file, table, to, 'test'))
    return json.loads(Path(path).read_text())


def understood(path):
    """What the reader makes of a file, ids of objects left out."""
    file = read_annotations(str(path))
    return [
        (
            v.id,
            v.height,
            v.width,
            v.file_names,
            [(t.category_id, t.counts, t.iscrowd, t.occlusion) for t in v.tracks],
        )
        for v in file.videos
    ]


def test_every_field_of_youtube_vis(tmp_path):
    data = content()
    new = convert(data, tmp_path / 'new.json')
    assert new['videos'] == data['videos']
    assert [c['id'] for c in new['categories']] == [40, 5, 0]
    # 0 is no object for evaluation tools; 3, 9 and 4 are kept
    assert [a['id'] for a in new['annotations']] == [1, 3, 9, 4]
    for old, now in zip(data['annotations'], new['annotations']):
        for key in (
            'video_id',
            'category_id',
            'iscrowd',
            'height',
            'width',
            'length',
            'bboxes',
            'areas',
        ):
            assert now[key] == old[key], key
        for one, two in zip(old['segmentations'], now['segmentations']):
            if one is None:
                assert two is None
            else:
                exact = mask_api.frPyObjects(one, 8, 12)['counts'].decode()
                assert two == dict(size=[8, 12], counts=exact)


def test_there_and_back_again_is_the_same_file(tmp_path):
    data = content()
    words = ['no_occlusion', 'severe_occlusion', None, None, None]
    data['annotations'][0]['occlusion'] = words
    first = convert(data, tmp_path / 'first.json')
    coco = convert(first, tmp_path / 'coco.json', 'cocovid')
    back = convert(coco, tmp_path / 'back.json')
    assert back == first
    assert back['annotations'][0]['occlusion'] == words
    assert 'occlusion' not in back['annotations'][1]


def test_cocovid_fields_by_hand(tmp_path):
    coco = convert(content(), tmp_path / 'coco.json', 'cocovid')
    assert coco['videos'][0] == dict(id=7, name='v7', length=5, height=8, width=12)
    assert coco['images'][5] == dict(
        id=6, video_id=0, frame_id=0, file_name='v0/a.jpg', height=8, width=12
    )
    # object 3 is the second of video 7, first seen in frame 1
    second = [a for a in coco['annotations'] if a['instance_id'] == 3]
    assert [(a['image_id'], a['bbox'], a['area']) for a in second] == [
        (2, [6, 4, 2, 2], 4),
        (3, [7, 4, 2, 2], 4),
    ]
    assert [a['id'] for a in coco['annotations']] == list(range(1, 9))


def test_foreign_cocovid_gives_the_same_masks(tmp_path):
    convert(as_cocovid(content()), tmp_path / 'a.json')
    convert(content(), tmp_path / 'b.json')
    assert understood(tmp_path / 'a.json') == understood(tmp_path / 'b.json')


def test_mmdetection_reads_the_cocovid(tmp_path):
    from mmdet.datasets import YouTubeVISDataset

    data = content()
    data['categories'] = [dict(id=i + 1, name=name) for i, name in enumerate(VERSIONS['2019'])]
    for each in data['annotations']:
        each['category_id'] = 14
    convert(data, tmp_path / 'coco.json', 'cocovid')
    dataset = YouTubeVISDataset(
        '2019',
        data_root=str(tmp_path),
        ann_file='coco.json',
        metainfo=dict(classes=VERSIONS['2019']),
        data_prefix=dict(img_path=''),
        pipeline=[],
        test_mode=True,
    )
    frames = dataset.get_data_info(0)['images']
    ids = [[i['instance_id'] for i in frame['instances']] for frame in frames]
    assert ids == [[1, 9], [1, 3], [3], [], [1]]
    assert frames[0]['instances'][0]['bbox_label'] == 13


@pytest.mark.parametrize('annotations', ['absent', None, []])
@pytest.mark.parametrize('to', ['vis', 'cocovid'])
def test_files_without_objects(tmp_path, annotations, to):
    data = content()
    if annotations == 'absent':
        del data['annotations']
    else:
        data['annotations'] = annotations
    new = convert(data, tmp_path / 'new.json', to)
    assert new['annotations'] == []
    assert [v['id'] for v in new['videos']] == [7, 0]


def test_ids_that_are_text(tmp_path):
    data = content()
    for video in data['videos']:
        video['id'] = str(video['id'])
    for each in data['annotations']:
        each.update(id=f'track {each["id"]}', video_id=str(each['video_id']))
    data['categories'][0]['id'] = '40'
    new = convert(data, tmp_path / 'new.json')
    assert [v['id'] for v in new['videos']] == [7, 0]
    assert [a['id'] for a in new['annotations']] == [1, 2, 3, 4]
    assert [a['video_id'] for a in new['annotations']] == [7, 7, 7, 0]
    assert [c['id'] for c in new['categories']] == [40, 5, 0]
    assert new['annotations'][0]['category_id'] == 40


def test_ids_that_are_one_number(tmp_path):
    data = content()
    data['videos'][1]['id'] = '07'
    data['annotations'].pop()
    with pytest.raises(ValueError, match="video ids 7 and '07'"):
        convert(data, tmp_path / 'new.json')
    assert list(tmp_path.iterdir()) == []


def test_objects_without_any_mask_are_left_out_and_counted(tmp_path):
    data = content()
    data['annotations'][0]['segmentations'] = [None, [], None, None, None]
    problems = Problems('in')
    new = convert(data, tmp_path / 'new.json', problems=problems)
    assert (len(new['videos']), len(new['annotations'])) == (2, 3)
    assert problems.left_out['objects that are seen in no frame'] == 1


def test_polygons_become_rle(tmp_path):
    data = content()
    data['annotations'][3]['segmentations'] = [
        [[2, 2, 6, 2, 6, 6, 2, 6]],
        {
            'size': [8, 12],
            'counts': mask_api.frPyObjects(rle(2, 3, 4, 4), 8, 12)['counts'].decode(),
        },
    ]
    new = convert(data, tmp_path / 'new.json')
    assert new['annotations'][3]['areas'] == [16, 16]


def test_other_classes(tmp_path):
    table = ClassTable(target_classes('ovis'), read_renames(['cat=']))
    new = convert(content(), tmp_path / 'new.json', table=table)
    assert len(new['categories']) == 25
    # Giant panda is 13, Vehical 25; the cat, object 3, is left out
    assert [a['category_id'] for a in new['annotations']] == [13, 25, 25]
    assert table.left_out == {'cat': 1}
    assert table.unused_renames() == []


def test_classes_without_a_match_are_all_named(tmp_path):
    table = ClassTable(target_classes('2019'), read_renames(['cat=wombat']))
    with pytest.raises(ValueError) as error:
        convert(content(), tmp_path / 'new.json', table=table)
    assert "in.json: the target has no class ['Vehical', 'cat -> wombat']" in (str(error.value))
    assert '--class-map' in str(error.value)
    assert list(tmp_path.iterdir()) == []
    table = ClassTable(target_classes('2019'), drop_unmatched=True)
    new = convert(content(), tmp_path / 'new.json', table=table)
    assert [a['category_id'] for a in new['annotations']] == [2, 14]
    assert table.left_out == {'Vehical': 2}


def test_renaming_joins_classes_of_the_file(tmp_path):
    table = ClassTable(None, read_renames(['Vehical=CAT', 'horse=dog']))
    new = convert(content(), tmp_path / 'new.json', table=table)
    assert [(c['id'], c['name']) for c in new['categories']] == [(40, 'Giant panda'), (0, 'cat')]
    assert [a['category_id'] for a in new['annotations']] == [40, 0, 0, 0]
    assert table.unused_renames() == ['horse']


def test_class_maps_of_files(tmp_path):
    path = tmp_path / 'map.json'
    path.write_text('{"Wild Cat": "cat", "rock": null, "stone": ""}')
    renames = read_renames([str(path), 'rock=stone'])
    assert renames == {'wild_cat': 'cat', 'rock': 'stone', 'stone': None}
    names = tmp_path / 'names.txt'
    names.write_text('cat\n\n dog \n')
    assert target_classes(str(names)) == {'cat': 1, 'dog': 2}
    names.write_bytes('\ufeffcat\r\ndög'.encode())  # as Notepad saves it
    assert target_classes(str(names)) == {'cat': 1, 'dög': 2}
    names.write_text('cat', encoding='utf-16')
    with pytest.raises(ValueError, match=r'names\.txt is no text in UTF-8: byte 0 is 0xff; save'):
        target_classes(str(names))
    names.write_text('cat\nCat')
    with pytest.raises(ValueError, match='twice'):
        target_classes(str(names))


@pytest.mark.parametrize(
    'text, message',
    [
        ('cat', "'cat' is neither old=new"),
        ('coco', "for the targets .'2019', '2021', '2022', 'ovis'., not None"),
    ],
)
def test_bad_class_maps(text, message):
    with pytest.raises(ValueError, match=message):
        read_renames([text])
    with pytest.raises(ValueError, match="target 'x' is none of"):
        target_classes('x')


# COCO's id -> the id in each data set that is commonly used to pre-train, and
# OVIS' bird
COCO_IDS = {
    '2019': {
        1: 1, 2: 21, 3: 6, 4: 21, 5: 28, 7: 17, 8: 29, 9: 34, 17: 14, 18: 8,
        19: 18, 21: 15, 22: 32, 23: 20, 24: 30, 25: 22, 35: 33, 36: 33, 41: 5,
        42: 27, 43: 40
    },
    '2021': {
        1: 26, 2: 23, 3: 5, 4: 23, 5: 1, 7: 36, 8: 37, 9: 4, 16: 3, 17: 6,
        18: 9, 19: 19, 21: 7, 22: 12, 23: 2, 24: 40, 25: 18, 34: 14, 35: 31,
        36: 31, 41: 29, 42: 33, 43: 34
    },
    'ovis': {
        1: 1, 2: 21, 3: 25, 4: 22, 5: 23, 6: 25, 8: 25, 9: 24, 16: 2, 17: 3,
        18: 4, 19: 5, 20: 6, 21: 7, 22: 8, 23: 9, 24: 10, 25: 11
    }
}  # yapf: disable
COCO_NAMES = {
    1: 'person', 2: 'bicycle', 3: 'car', 4: 'motorcycle', 5: 'airplane',
    6: 'bus', 7: 'train', 8: 'truck', 9: 'boat', 16: 'bird', 17: 'cat',
    18: 'dog', 19: 'horse', 20: 'sheep', 21: 'cow', 22: 'elephant',
    23: 'bear', 24: 'zebra', 25: 'giraffe', 34: 'frisbee', 35: 'skis',
    36: 'snowboard', 41: 'skateboard', 42: 'surfboard', 43: 'tennis racket'
}  # yapf: disable


@pytest.mark.parametrize('target', COCO_IDS)
def test_classes_of_coco(target):
    table = ClassTable(target_classes(target), read_renames(['coco'], target), True)
    table.match([dict(id=k, name=name) for k, name in COCO_NAMES.items()], 'coco')
    video = AnnotatedVideo(1, 8, 8, [], 'coco', [AnnotatedTrack(k, k, []) for k in COCO_NAMES])
    assert {t.id: t.category_id for t in table.kept(video)} == COCO_IDS[target]


def test_free_numbers():
    numbers = FreeNumbers()
    wishes = [0, 2, 2, 'a', 1, True, 7]
    assert [numbers.take(w) for w in wishes] == [1, 2, 3, 4, 5, 6, 7]


places = st.none() | st.tuples(
    st.integers(0, 3), st.integers(0, 5), st.integers(1, 4), st.integers(1, 6)
)
tracks = st.lists(
    st.tuples(st.sampled_from([40, 5, 0]), st.lists(places, min_size=5, max_size=5), st.booleans()),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(tracks)
def test_any_tracks_survive_the_way_there_and_back(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp('drawn')
    data = content()
    data['annotations'] = [
        dict(
            id=i,
            video_id=7,
            category_id=category,
            iscrowd=int(crowd),
            segmentations=[p and rle(*p) for p in boxes],
        )
        for i, (category, boxes, crowd) in enumerate(drawn)
    ]
    coco = convert(data, folder / 'coco.json', 'cocovid')
    convert(coco, folder / 'back.json')
    before = json_videos(data, 'in', ClassTable())
    expected = [
        [(t.category_id, t.counts, t.iscrowd) for t in v.tracks if any(t.counts)] for v in before
    ]
    after = [
        [(t.category_id, t.counts, t.iscrowd) for t in v.tracks]
        for v in read_annotations(str(folder / 'back.json')).videos
    ]
    # CocoVID lists objects by their frames, so their order may change
    assert [sorted(each, key=repr) for each in after] == [
        sorted(each, key=repr) for each in expected
    ]


def cvat():
    """Tracks as CVAT exports them: no videos, crowds, ids in attributes."""
    data = as_cocovid(content())
    del data['videos']
    for image in data['images']:
        del image['video_id'], image['frame_id']
    for each in data['annotations']:
        each.update(iscrowd=1, attributes=dict(track_id=each.pop('instance_id')))
        each.pop('video_id', None)
    return data


def test_track_ids_of_cvat(tmp_path):
    problems = Problems('in.json')
    new = convert(cvat(), tmp_path / 'new.json', problems=problems, crowds_as_objects=True)
    expected = convert(content(), tmp_path / 'old.json')
    objects = [sorted(a['areas'], key=str) for a in new['annotations']]
    assert sorted(objects) == sorted(sorted(a['areas'], key=str) for a in expected['annotations'])
    assert not any(a['iscrowd'] for a in new['annotations'])
    crowds = convert(cvat(), tmp_path / 'crowds.json', problems=problems)
    assert all(a['iscrowd'] for a in crowds['annotations'])
    assert 'objects are crowds' in problems.found[-1].text()


def test_images_with_videos_that_are_not_listed(tmp_path):
    data = cvat()
    for image in data['images']:
        image['video_id'] = 1
    with pytest.raises(ValueError, match="field 'videos': is missing"):
        convert(data, tmp_path / 'new.json')


def test_frame_index_and_track_id_of_tao(tmp_path):
    data = as_cocovid(content())
    for image in data['images']:
        image['frame_index'] = image.pop('frame_id')
    for each in data['annotations']:
        each['track_id'] = each.pop('instance_id')
    assert convert(data, tmp_path / 'a.json') == convert(as_cocovid(content()), tmp_path / 'b.json')


def test_one_crowd_frame_does_not_make_a_crowd(tmp_path):
    data, problems = as_cocovid(content()), Problems('in.json')
    first = next(a for a in data['annotations'] if a['instance_id'] == 3)
    first['iscrowd'] = 1
    new = convert(data, tmp_path / 'new.json', problems=problems)
    (track,) = (a for a in new['annotations'] if a['id'] == 3)
    assert track['iscrowd'] == 0 and sum(area is not None for area in track['areas']) == 1
    assert problems.left_out['crowd frames of single objects'] == 1
