"""VISDataset on hand-written files in every layout."""

import copy
import json

import numpy as np
import pytest
import tiny_video as tiny
from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmdet.utils import register_all_modules
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, DefaultSampler, RepeatDataset
from pycocotools import mask as mask_api

from mmcico.datasets import VISDataset
from mmcico.formats.categories import OVIS, YOUTUBE_VIS_2019, normalised

register_all_modules(init_default_scope=True)


def dataset(folder, data=None, **kwargs):
    path = tiny.write_json(folder, tiny.content() if data is None else data)
    kwargs.setdefault('data_prefix', dict(img='img'))
    return VISDataset(ann_file=path.split('/')[-1], data_root=str(folder), **kwargs)


def described(data, classes=None):
    """Everything about a data set that a model could see, ids by rank."""
    found = []
    for i in range(len(data)):
        info = data.get_data_info(i)
        frames = [
            [
                (o['bbox'], o['bbox_label'], o['ignore_flag'], mask_api.decode(o['mask']).tolist())
                for o in frame['instances']
            ]
            for frame in info['frames']
        ]
        paths = [frame['img_path'] for frame in info['frames']]
        found.append(
            (
                info['video_id'],
                info['key_frame_id'],
                info.get('frame_ids'),
                info.get('num_final'),
                paths,
                frames,
            )
        )
    return found


def test_training_items_are_frames_with_objects(tmp_path):
    data = dataset(tmp_path)
    items = [(i['video_id'], i['key_frame_id']) for i in map(data.get_data_info, range(len(data)))]
    assert items == [(7, 0), (7, 1), (7, 2), (7, 4), (0, 0), (0, 1)]


def test_frames_without_objects_can_be_kept(tmp_path):
    data = dataset(tmp_path, filter_cfg=dict(filter_empty_gt=False))
    assert len(data) == 7


def test_a_frame_with_only_a_crowd_is_no_query(tmp_path):
    content = tiny.content()
    content['annotations'] = content['annotations'][2:]
    items = dataset(tmp_path, content)
    assert [i['video_id'] for i in map(items.get_data_info, range(2))] == [0, 0]
    assert len(items) == 2


def test_labels_follow_the_order_of_ids(tmp_path):
    data = dataset(tmp_path)
    assert data.metainfo['classes'] == ('cat', 'Vehical', 'Giant panda')
    assert data.metainfo['category_ids'] == (0, 5, 40)
    frames = data.get_data_info(0)['frames']
    assert [
        (o['instance_id'], o['bbox_label'], o['ignore_flag']) for o in frames[0]['instances']
    ] == [(0, 2, 0), (2, 1, 1)]
    assert [(o['instance_id'], o['bbox_label'], o['bbox']) for o in frames[1]['instances']] == [
        (0, 2, [3, 1, 7, 4]),
        (1, 0, [6, 4, 8, 6]),
    ]
    assert frames[3]['instances'] == []
    assert frames[-1]['frame_id'] == 4 and len(frames) == 5


def test_string_ids_sort_as_numbers_and_match_numbers(tmp_path):
    content = tiny.content()
    for record in content['categories']:
        record['id'] = str(record['id'])
    content['videos'][0]['id'] = '7'
    data = dataset(tmp_path, content)
    assert data.metainfo['category_ids'] == ('0', '5', '40')
    assert data.get_data_info(0)['video_id'] == '7'
    assert len(data) == 6


def test_masks_are_what_the_file_says(tmp_path):
    info = dataset(tmp_path).get_data_info(0)
    mask = mask_api.decode(info['frames'][4]['instances'][0]['mask'])
    expected = np.zeros((8, 12))
    expected[1:4, 5:9] = 1
    assert np.array_equal(mask, expected)


def compressed(mask):
    found = mask_api.frPyObjects(mask, *mask['size'])
    return dict(size=mask['size'], counts=found['counts'].decode())


def polygon(mask):
    x, y, w, h = mask_api.toBbox(mask_api.frPyObjects(mask, *mask['size']))
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


@pytest.mark.parametrize('form', [compressed, polygon])
def test_all_forms_of_masks_are_equal(tmp_path, form):
    content = tiny.content()
    for track in content['annotations']:
        track['segmentations'] = [m and form(m) for m in track['segmentations']]
    assert described(dataset(tmp_path, content)) == described(dataset(tmp_path))


@pytest.mark.parametrize(
    'empty', [None, [], {}, [[]], [[1, 1, 2, 2]], dict(size=[8, 12], counts=[96])], ids=str
)
def test_all_forms_of_no_mask_are_equal(tmp_path, empty):
    content = tiny.content()
    content['annotations'][0]['segmentations'][1] = empty
    del content['annotations'][0]['bboxes']
    instances = dataset(tmp_path, content).get_data_info(0)['frames'][1]['instances']
    assert [o['instance_id'] for o in instances] == [1]


def test_boxes_come_from_masks_where_the_file_has_none(tmp_path):
    content = tiny.content()
    bare = tiny.content()
    for track in bare['annotations']:
        del track['bboxes'], track['areas']
    bare['annotations'][0]['bboxes'] = [[], None, None, None, [5, 1, 0, 3]]
    assert described(dataset(tmp_path, bare)) == described(dataset(tmp_path, content))


@pytest.mark.parametrize('test_mode', [False, True])
def test_cocovid_equals_youtube_vis(tmp_path, test_mode):
    content = tiny.content()
    plain = dataset(tmp_path, content, test_mode=test_mode)
    expected = described(plain), plain.metainfo
    other = dataset(tmp_path, tiny.as_cocovid(content), test_mode=test_mode)
    assert (described(other), other.metainfo) == expected


def test_cocovid_images_take_the_size_of_their_video(tmp_path):
    content = tiny.as_cocovid(tiny.content())
    for image in content['images']:
        del image['height'], image['width']
    assert described(dataset(tmp_path, content)) == described(dataset(tmp_path))


@pytest.mark.parametrize('annotations', ['missing', None, []])
@pytest.mark.parametrize('layout', [dict, tiny.as_cocovid])
def test_test_sets_have_no_annotations(tmp_path, annotations, layout):
    content = tiny.content()
    content['annotations'] = []
    content = layout(content)
    if annotations == 'missing':
        del content['annotations']
    else:
        content['annotations'] = annotations
    data = dataset(tmp_path, content, test_mode=True)
    infos = [data.get_data_info(i) for i in range(len(data))]
    assert [(i['video_id'], i['frame_ids'], i['num_final']) for i in infos] == [
        (7, (0, 1, 2), 2),
        (7, (2, 3, 4), 3),
        (0, (0, 1, 1), 2),
    ]
    assert all(f['instances'] == [] for i in infos for f in i['frames'])
    with pytest.raises(ValueError, match='training needs annotations'):
        dataset(tmp_path, content)


def test_chosen_classes_order_labels_and_leave_others_out(tmp_path):
    chosen = ('giant_panda', 'Cat')
    data = dataset(tmp_path, metainfo=dict(classes=chosen))
    assert data.metainfo['classes'] == chosen
    assert data.metainfo['category_ids'] == (40, 0)
    items = [data.get_data_info(i) for i in range(len(data))]
    assert [(i['video_id'], i['key_frame_id']) for i in items] == [(7, 0), (7, 1), (7, 2), (7, 4)]
    assert [o['bbox_label'] for o in items[0]['frames'][0]['instances']] == [0]
    assert [o['bbox_label'] for o in items[0]['frames'][1]['instances']] == [0, 1]


@pytest.mark.parametrize(
    'classes, message',
    [
        (('cat', 'dog'), r"no class \['dog'\] of metainfo.classes; it has"),
        (('cat', 'Cat'), 'twice'),
        ((), 'no class'),
    ],
)
def test_wrong_classes_are_refused(tmp_path, classes, message):
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path, metainfo=dict(classes=classes))


def test_versions_check_the_names_only(tmp_path):
    content = tiny.content()
    content['categories'] = [
        dict(id=3 * i + 1, name=name.replace('_', ' ')) for i, name in enumerate(OVIS)
    ]
    for track in content['annotations']:
        track['category_id'] = 1
    data = dataset(tmp_path, content, dataset_version='ovis')
    assert len(data.metainfo['classes']) == 25
    assert data.metainfo['category_ids'][-1] == 73
    with pytest.raises(ValueError, match='no class.*skateboard'):
        dataset(tmp_path, content, dataset_version='2019')
    with pytest.raises(ValueError, match="'2020' is none of"):
        dataset(tmp_path, content, dataset_version='2020')


def test_names_compare_as_people_read_them():
    for one, other in [
        ('Vehical', 'vehicle'),
        ('giant panda', 'Giant_panda'),
        (' flying-disc', 'flying_disc'),
    ]:
        assert normalised(one) == normalised(other)
    assert len({normalised(name) for name in YOUTUBE_VIS_2019}) == 40
    assert len({normalised(name) for name in OVIS}) == 25


def test_instances_share_no_state(tmp_path):
    one = dataset(tmp_path, metainfo=dict(classes=('cat',)))
    two = dataset(tmp_path, metainfo=dict(palette=[(1, 2, 3)]))
    assert len(one.metainfo['classes']) == 1
    assert len(two.metainfo['classes']) == 3
    assert 'palette' not in one.metainfo
    assert VISDataset.METAINFO == {}
    one.metainfo['classes'] = 'changed'
    one.get_data_info(0)['frames'][0]['instances'].clear()
    assert one.metainfo['classes'] == ('cat',)
    assert two.get_data_info(0)['frames'][0]['instances']


def test_classes_are_known_before_the_data_are_used(tmp_path):
    data = dataset(tmp_path, lazy_init=True)
    assert data.metainfo['category_ids'] == (0, 5, 40)
    data.full_init()
    assert len(data) == 6


def test_wrappers_of_mmengine(tmp_path):
    one, two = dataset(tmp_path), dataset(tmp_path, lazy_init=True)
    joined = ConcatDataset([one, two])
    assert len(joined) == 12
    assert joined.metainfo['category_ids'] == (0, 5, 40)
    assert joined.get_data_info(10)['video_id'] == 0
    assert len(RepeatDataset(two, 3)) == 18
    assert [one.get_cat_ids(i) for i in range(6)] == [[2], [2, 0], [0], [2], [1], [1]]
    balanced = ClassBalancedDataset(one, oversample_thr=1.0)
    # cat, vehicle and panda are in 2, 2 and 3 of 6 frames: sqrt(1 / f) is
    # 1.73, 1.73 and 1.41, so every frame is there twice
    assert len(balanced) == 12


def test_batches_by_aspect_ratio(tmp_path):
    upright = tiny.content()
    video = upright['videos'][1]
    video['height'], video['width'] = tiny.WIDTH, tiny.HEIGHT
    upright['annotations'] = upright['annotations'][:2]
    data = dataset(tmp_path, upright, filter_cfg=dict(filter_empty_gt=False))
    batches = AspectRatioBatchSampler(DefaultSampler(data, shuffle=False), batch_size=2)
    # the frames of the upright video come together
    assert list(batches) == [[0, 1], [2, 3], [5, 6], [4]]


def test_other_data_sets_do_not_mix(tmp_path):
    other = dataset(tmp_path, metainfo=dict(classes=('cat',)))
    with pytest.raises(ValueError, match='meta information'):
        ConcatDataset([dataset(tmp_path), other])


def test_subsets_share_what_was_read(tmp_path):
    data = dataset(tmp_path, indices=4)
    assert len(data) == 4
    part = data.get_subset([1, 3])
    assert [part.get_data_info(i)['key_frame_id'] for i in range(2)] == [1, 4]
    assert part.videos is data.videos
    assert copy.deepcopy(data).videos is data.videos


def test_frames_are_relative_to_the_prefix(tmp_path):
    data = dataset(tmp_path)
    assert data.get_data_info(4)['frames'][1]['img_path'] == str(tmp_path / 'img' / 'v0' / 'b.jpg')
    data = dataset(tmp_path, data_prefix=dict(img=''))
    assert data.get_data_info(4)['frames'][1]['img_path'] == str(tmp_path / 'v0' / 'b.jpg')


def test_the_file_is_left_as_it_is(tmp_path):
    content = tiny.content()
    path = tiny.write_json(tmp_path, content)
    VISDataset(ann_file=path)
    with open(path) as file:
        assert json.load(file) == content
