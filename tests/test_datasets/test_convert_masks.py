"""Mask PNGs in the manner of DAVIS."""

import json

import numpy as np
import pytest
from PIL import Image

from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.collect import collect, converted_data
from mmcico.datasets.converters.mask_folders import MOTS_CLASSES, MaskFolders, read_object_classes
from mmcico.formats.problems import Problems
from mmcico.formats.rle import decode_masks

H, W = 6, 9


def save_mask(path, values, mode='P'):
    image = Image.fromarray(np.asarray(values, np.uint8))
    if mode == 'P':
        image = image.convert('L')
        image.putpalette([(i * 7) % 256 for i in range(768)])
    elif mode == 'I;16':
        image = Image.fromarray(np.asarray(values, np.uint16))
    elif mode != 'L':
        image = image.convert(mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def save_frame(path, size=(H, W)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)


def values(**boxes):
    """Object number -> (top, left, height, width), as ``o1=...``."""
    plane = np.zeros((H, W), int)
    for key, (top, left, height, width) in boxes.items():
        plane[top : top + height, left : left + width] = int(key[1:])
    return plane


PLANES = [
    values(o1=(0, 0, 2, 3), o3=(3, 4, 2, 2), o255=(5, 0, 1, 9)),
    values(o3=(3, 5, 2, 2)),
    values(o1=(1, 1, 2, 3)),
]


@pytest.fixture
def davis(tmp_path):
    """Video ``dogs`` of three frames; frame 10 comes after frame 9."""
    for name, plane in zip(('8', '9', '10'), PLANES):
        save_frame(tmp_path / 'JPEGImages' / 'dogs' / f'{name}.jpg')
        save_mask(tmp_path / 'Annotations' / 'dogs' / f'{name}.png', plane)
    return tmp_path


def source(root, table=None, **options):
    folders = root / 'JPEGImages', root / 'Annotations'
    return MaskFolders(*folders, table or ClassTable(), **options)


def read(root, table=None, **options):
    return list(source(root, table, **options))


def test_objects_by_hand(davis):
    table = ClassTable()
    names = dict(dogs={'1': 'dog', '3': 'Cat'})
    (video,) = read(davis, table, object_classes=names)
    assert video.file_names == ['dogs/8.jpg', 'dogs/9.jpg', 'dogs/10.jpg']
    assert (video.id, video.height, video.width) == (1, H, W)
    # in alphabetical order, whatever object comes first
    assert [c['name'] for c in table.categories] == ['Cat', 'dog']
    assert [t.category_id for t in video.tracks] == [2, 1]
    for track, key in zip(video.tracks, (1, 3)):
        for counts, plane in zip(track.counts, PLANES):
            if counts is None:
                assert not (plane == key).any()
            else:
                mask = decode_masks([counts], H, W)[0]
                assert (mask == (plane == key)).all()


def test_every_pixel_survives_the_file(davis):
    table = ClassTable()
    file = collect(source(davis, table), table, Problems('masks'))
    data = json.loads(json.dumps(converted_data(file, table, 'youtube_vis', 'masks')))
    assert len(data['annotations']) == 2
    assert data['annotations'][0]['areas'] == [6, None, 6]
    assert data['annotations'][1]['bboxes'] == [[4, 3, 2, 2], [5, 3, 2, 2], None]
    assert data['categories'] == [dict(id=1, name='object', supercategory='object')]


def test_one_class_for_a_video_and_classes_of_a_target(davis):
    table = ClassTable({'cat': 1, 'dog': 2})
    (video,) = read(davis, table, object_classes=dict(dogs='dog'))
    assert [t.category_id for t in video.tracks] == [2, 2]
    table = ClassTable({'cat': 1}, drop_unmatched=True)
    (video,) = read(davis, table, object_classes=dict(dogs={'1': 'cat'}))
    assert [t.category_id for t in video.tracks] == [1]
    assert table.left_out == {'object': 1}


def test_names_without_a_match_say_where(davis):
    table = ClassTable({'cat': 1})
    with pytest.raises(
        ValueError,
        match=r'object 1: the target has no class '
        r"\['object'\]; it has \['cat'\]",
    ):
        read(davis, table)


@pytest.mark.parametrize('mode', ['L', 'I;16', '1'])
def test_kinds_of_pictures(tmp_path, mode):
    plane = values(o1=(1, 2, 3, 3)) * (255 if mode == '1' else 7)
    save_frame(tmp_path / 'JPEGImages' / 'a' / '0.jpg')
    save_mask(tmp_path / 'Annotations' / 'a' / '0.png', plane, mode)
    (video,) = read(tmp_path)
    mask = decode_masks(video.tracks[0].counts, H, W)[0]
    assert (mask == (plane > 0)).all()


def test_binary_masks_of_davis_2016(tmp_path):
    plane = values(o255=(1, 2, 3, 3), o1=(0, 0, 1, 1))
    save_frame(tmp_path / 'JPEGImages' / 'a' / '0.jpg')
    save_mask(tmp_path / 'Annotations' / 'a' / '0.png', plane, 'L')
    (video,) = read(tmp_path, binary=True)
    assert len(video.tracks) == 1
    assert decode_masks(video.tracks[0].counts, H, W).sum() == 10
    save_mask(tmp_path / 'Annotations' / 'a' / '0.png', plane * 255, 'L')
    save_mask(tmp_path / 'Annotations' / 'a' / '0.png', values(o255=(1, 2, 3, 3)), 'L')
    with pytest.raises(ValueError, match='give --binary'):
        read(tmp_path)


def test_a_video_without_objects(tmp_path):
    save_frame(tmp_path / 'JPEGImages' / 'a' / '0.jpg')
    save_mask(tmp_path / 'Annotations' / 'a' / '0.png', values())
    (video,) = read(tmp_path)
    assert video.tracks == [] and len(video.file_names) == 1


def test_frames_without_a_mask(davis):
    (davis / 'Annotations/dogs/9.png').unlink()
    used = source(davis)
    (video,) = used
    assert video.file_names == ['dogs/8.jpg', 'dogs/10.jpg']
    assert (
        used.problems.left_out['frames without annotation file (--keep-unlabelled keeps them)'] == 1
    )
    (video,) = read(davis, keep_unlabelled=True)
    assert len(video.file_names) == 3
    assert not any(track.counts[1] for track in video.tracks)


def test_every_second_frame(davis):
    (video,) = read(davis, step=2)
    assert video.file_names == ['dogs/8.jpg', 'dogs/10.jpg']


def test_chosen_videos_in_their_order(davis):
    for name in ('ants', 'bees'):
        save_frame(davis / 'JPEGImages' / name / '0.jpg')
        save_mask(davis / 'Annotations' / name / '0.png', PLANES[1])
    assert [v.file_names[0] for v in read(davis)] == ['ants/0.jpg', 'bees/0.jpg', 'dogs/8.jpg']
    chosen = read(davis, videos=['dogs', 'ants'])
    assert [(v.id, v.file_names[0]) for v in chosen] == [(1, 'dogs/8.jpg'), (2, 'ants/0.jpg')]
    for names, message in (
        (['wasps'], 'no such folders.*wasps'),
        (['dogs', 'dogs/'], "'dogs' in the list of videos is there twice"),
        (['dogs/../ants'], "'dogs/../ants' in the list of videos is outside of"),
    ):
        with pytest.raises(ValueError, match=message):
            read(davis, videos=names)


def test_videos_in_folders_of_folders(davis):
    for part in ('JPEGImages', 'Annotations'):
        (davis / 'a').mkdir()
        (davis / part / 'dogs').rename(davis / 'a/x')
        (davis / 'a').rename(davis / part / 'a')
    table = ClassTable()
    (video,) = read(davis, table, videos=['a/x'], object_classes={'a/x': 'dog'})
    assert video.file_names[0] == 'a/x/8.jpg'
    assert [c['name'] for c in table.categories] == ['dog']


def test_videos_are_read_one_by_one(davis):
    save_frame(davis / 'JPEGImages' / 'zoo' / '0.jpg')
    (davis / 'Annotations' / 'zoo').mkdir()
    (davis / 'Annotations' / 'zoo' / '0.png').write_bytes(b'broken')
    videos = iter(source(davis))
    assert next(videos).file_names[0] == 'dogs/8.jpg'
    with pytest.raises(ValueError, match=r'mask .*zoo.0\.png is not a readable image'):
        next(videos)


def test_broken_mask_pictures_are_named(davis):
    path = davis / 'Annotations/dogs/9.png'
    save_mask(path, np.arange(H * W, dtype=np.uint8).reshape(H, W))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match='mask .*9.png cannot be read: .*truncated'):
        list(source(davis))


def spoil(root, what):
    """One thing that is wrong, and what the message says."""
    images, masks = root / 'JPEGImages/dogs', root / 'Annotations/dogs'
    if what == 'colours':
        save_mask(masks / '9.png', PLANES[1], 'RGB')
        return r'9\.png holds colours \(mode RGB\)'
    if what == 'size':
        save_mask(masks / '9.png', np.ones((H, W + 1)))
        return r'9\.png is \(6, 10\).*9\.jpg is \(6, 9\)'
    if what == 'sizes':
        save_frame(images / '10.jpg', (H + 1, W))
        save_mask(masks / '10.png', np.ones((H + 1, W)))
        return r'frame 8\.jpg is \(6, 9\).*frame 10\.jpg is \(7, 9\)'
    if what == 'no frame':
        (images / '9.jpg').unlink()
        return r"'9\.png'\] \(1 in all\) have no frame"
    if what == 'no folder':
        (root / 'Annotations/cats').mkdir()
        return 'there is no folder .*cats with the frames'
    if what == 'empty folder':
        for path in masks.iterdir():
            path.unlink()
        return 'none of its 3 frames has a mask'
    save_frame(images / '9.png')
    return 'are the same frame'


@pytest.mark.parametrize(
    'what', ['colours', 'size', 'sizes', 'no frame', 'no folder', 'empty folder', 'twice']
)
def test_errors_name_the_file(davis, what):
    message = spoil(davis, what)
    with pytest.raises(ValueError, match=message):
        read(davis)


def test_other_errors(davis):
    with pytest.raises(ValueError, match='step is 0'):
        read(davis, step=0)
    with pytest.raises(ValueError, match='is no folder'):
        list(MaskFolders(davis, davis / 'x', ClassTable()))


def one_frame(root, plane, mode, video='a', name='0'):
    save_frame(root / 'JPEGImages' / video / f'{name}.jpg')
    save_mask(root / 'Annotations' / video / f'{name}.png', plane, mode)


VOID = 'pixels of value 255, which means "not annotated"'


@pytest.mark.parametrize('mode, objects', [('L', 1), ('P', 1), ('I;16', 2)])
def test_255_is_void_in_8_bits_alone(tmp_path, mode, objects):
    one_frame(tmp_path, values(o7=(1, 2, 3, 3), o255=(5, 0, 1, 8)), mode)
    used = source(tmp_path)
    (video,) = used
    assert len(video.tracks) == objects
    assert used.problems.left_out == ({VOID: 8} if objects == 1 else {})


def test_chosen_values_are_not_annotated(tmp_path):
    one_frame(tmp_path, values(o7=(1, 2, 3, 3), o255=(5, 0, 1, 8)), 'L')
    used = source(tmp_path, ignored=[7])
    (video,) = used
    assert decode_masks(video.tracks[0].counts, H, W).sum() == 8
    assert list(used.problems.left_out.values()) == [9]


MOTS = values(o2001=(0, 0, 2, 2), o1002=(2, 3, 2, 2), o2003=(4, 4, 1, 1), o10000=(5, 0, 1, 9))


def test_classes_in_the_values_of_mots(tmp_path):
    one_frame(tmp_path, MOTS, 'I;16')
    one_frame(tmp_path, values(o2001=(0, 1, 2, 2)), 'I;16', name='1')
    table = ClassTable()
    used = source(tmp_path, table, mots_classes=MOTS_CLASSES)
    (video,) = used
    assert [(c['id'], c['name']) for c in table.categories] == [(1, 'car'), (2, 'pedestrian')]
    assert [(t.category_id, [bool(c) for c in t.counts]) for t in video.tracks] == [
        (1, [True, False]),
        (2, [True, True]),
        (2, [True, False]),
    ]
    assert used.problems.left_out == {VOID.replace('255', '10000'): 9}
    assert not used.problems.found
    with pytest.raises(ValueError, match=r'value 2001 is of class 2; known are \{1: .car.\}'):
        read(tmp_path, mots_classes={1: 'car'})


def test_large_values_without_the_option_are_told(tmp_path):
    one_frame(tmp_path, MOTS, 'I;16')
    used = source(tmp_path)
    list(used)
    (warning,) = used.problems.found
    assert 'values up to 10000; give --mots' in warning.text()


def test_entries_of_object_classes_that_match_nothing(davis):
    used = source(davis, object_classes=dict(dogs={'1': 'dog', '2': 'cat'}, cows='cow'))
    list(used)
    (warning,) = used.problems.found
    assert "2 of 3 entries match no object, the first is video 'dogs', object 2" in warning.text()
    with pytest.raises(
        ValueError, match="1 of 1 entries match no object, the first is video 'dog'"
    ):
        read(davis, object_classes=dict(dog='dog'))
    # Other videos of the file are not missed when videos are chosen.
    used = source(davis, object_classes=dict(dogs='dog', cows='cow'), videos=['dogs'])
    list(used)
    assert not used.problems.found


def test_meta_json_of_youtube_vos(davis):
    objects = {'1': dict(category='dog', frames=['8']), '3': dict(category='ape', frames=[])}
    classes = read_object_classes(dict(videos=dict(dogs=dict(objects=objects))), 'meta.json')
    assert classes == dict(dogs={'1': 'dog', '3': 'ape'})
    for wrong in ([], dict(dogs=5), dict(videos=dict(dogs=[])), dict(dogs={'1': None})):
        with pytest.raises(ValueError, match='meta.json: expected an object'):
            read_object_classes(wrong, 'meta.json')


def test_classes_do_not_depend_on_the_order_of_videos(davis):
    names = dict(ants={'3': 'zebra'}, dogs={'1': 'dog', '3': 'Cat'})
    one_frame(davis, PLANES[1], 'P', video='ants')
    first, second = ClassTable(), ClassTable()
    read(davis, first, object_classes=names)
    read(davis, second, object_classes=names, videos=['dogs', 'ants'])
    assert first.categories == second.categories
    assert [c['name'] for c in first.categories] == ['Cat', 'dog', 'zebra']


def test_pictures_that_would_fill_the_memory_are_refused(tmp_path):
    save_frame(tmp_path / 'JPEGImages' / 'a' / '0.jpg')
    path = tmp_path / 'Annotations' / 'a' / '0.png'
    path.parent.mkdir(parents=True)
    Image.new('1', (10001, 10000)).save(path)
    with pytest.raises(ValueError, match='mask .*0.png has 10001 x 10000 pixels .width x height.'):
        read(tmp_path)
