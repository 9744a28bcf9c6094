"""Videos annotated with labelme."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from mmcico.datasets.converters.class_maps import ClassTable, target_classes
from mmcico.datasets.converters.labelme import LabelmeFolders
from mmcico.datasets.converters.labelme_shapes import shape_counts
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import decode_masks

H, W = 40, 60


def rectangle(top, left, height, width):
    right, low = left + width, top + height
    return [[left, top], [right, top], [right, low], [left, low]]


def shape(label, group, place, **more):
    return dict(label=label, group_id=group, points=rectangle(*place), **more)


FRAMES = [
    [shape('dog', 1, (2, 3, 10, 20)), shape('cat', 2, (20, 30, 5, 5))],
    [shape('dog', 1, (3, 4, 10, 20)), shape('dog', 1, (30, 0, 5, 8))],
    [],
]


def write(root, frames=FRAMES, video='clip', size=(H, W)):
    folder = root / video
    folder.mkdir(parents=True, exist_ok=True)
    for t, shapes in enumerate(frames):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(folder / f'{t}.png')
        record = dict(
            version='5.0',
            shapes=shapes,
            imagePath=f'{t}.png',
            imageData=None,
            imageHeight=size[0],
            imageWidth=size[1],
        )
        (folder / f'{t}.json').write_text(json.dumps(record))
    return root


def read(root, table=None, **options):
    return list(LabelmeFolders(root, table or ClassTable(), **options))


def test_videos_in_folders_of_folders(tmp_path):
    (video,) = read(write(tmp_path, video='a/x'), videos=['a/x'])
    assert video.file_names == ['a/x/0.png', 'a/x/1.png', 'a/x/2.png']


def masks(track):
    return [c and decode_masks([c], H, W)[0].astype(bool) for c in track.counts]


def box_mask(top, left, height, width):
    mask = np.zeros((H, W), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_objects_by_hand(tmp_path):
    table = ClassTable()
    (video,) = read(write(tmp_path), table)
    assert video.file_names == ['clip/0.png', 'clip/1.png', 'clip/2.png']
    # in alphabetical order, whatever object comes first
    assert [c['name'] for c in table.categories] == ['cat', 'dog']
    dog, cat = video.tracks
    assert (dog.category_id, cat.category_id) == (2, 1)
    first, second, third = masks(dog)
    assert (first == box_mask(2, 3, 10, 20)).all()
    # two shapes of one group are parts of one object
    assert (second == box_mask(3, 4, 10, 20) | box_mask(30, 0, 5, 8)).all()
    assert third is None
    assert masks(cat)[1:] == [None, None]


def test_ten_comes_after_nine(tmp_path):
    (video,) = read(write(tmp_path, FRAMES * 4))
    assert [name[5:-4] for name in video.file_names] == [str(t) for t in range(12)]


def test_targets_and_left_out_classes(tmp_path):
    table = ClassTable({'cat': 1}, {'dog': None})
    (video,) = read(write(tmp_path), table)
    assert [t.category_id for t in video.tracks] == [1]
    assert table.left_out == {'dog': 1}
    with pytest.raises(ValueError, match=r"0\.json: shape 0: the target has no class \['dog'\]"):
        read(tmp_path, ClassTable({'cat': 1}))


@pytest.mark.parametrize('group', [None, ''])
def test_shapes_without_a_group(tmp_path, group):
    frames = [[shape('dog', group, (2, 3, 4, 4))], [shape('dog', group, (2, 4, 4, 4))]]
    write(tmp_path, frames)
    with pytest.raises(
        ValueError,
        match=r"0\.json: shape 0 \('dog'\): field "
        "'group_id' is empty.*--ungrouped",
    ):
        read(tmp_path)
    (video,) = read(tmp_path, ungrouped=True)
    assert len(video.tracks) == 1 and all(video.tracks[0].counts)


def test_group_ids_0_and_text(tmp_path):
    frames = [
        [shape('dog', 0, (2, 3, 4, 4)), shape('dog', 'a', (9, 9, 4, 4))],
        [shape('dog', '0', (2, 4, 4, 4))],
    ]
    (video,) = read(write(tmp_path, frames))
    assert [[c is not None for c in t.counts] for t in video.tracks] == [
        [True, True],
        [True, False],
    ]


def test_group_ids_counted_for_each_class(tmp_path):
    frames = [[shape('dog', 1, (2, 3, 4, 4))], [shape('cat', 1, (2, 3, 4, 4))]]
    write(tmp_path, frames)
    with pytest.raises(
        ValueError,
        match=r"1\.json: shape 0: field 'label' of group_id "
        "1 is 'cat', before it was 'dog'.*--ids-per-class",
    ):
        read(tmp_path)
    (video,) = read(tmp_path, ids_per_class=True)
    assert len(video.tracks) == 2
    both = [[shape('dog', 1, (2, 3, 4, 4)), shape('cat', 1, (2, 3, 4, 4))]]
    with pytest.raises(ValueError, match="of group_id 1 is 'cat', before it was 'dog'"):
        read(write(tmp_path, both))


def test_frames_without_a_json(tmp_path):
    write(tmp_path)
    (tmp_path / 'clip/1.json').unlink()
    source = LabelmeFolders(tmp_path, ClassTable())
    (video,) = source
    assert video.file_names == ['clip/0.png', 'clip/2.png']
    assert sum(source.problems.left_out.values()) == 1
    (video,) = read(tmp_path, keep_unlabelled=True)
    assert len(video.file_names) == 3 and video.tracks[0].counts[1] is None


def edited(root, frame, **fields):
    path = root / 'clip' / f'{frame}.json'
    record = json.loads(path.read_text())
    record.update(fields)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    'fields, message',
    [
        (dict(shapes=None), r"1\.json has no list 'shapes'"),
        (
            dict(imageHeight=3),
            r"fields 'imageHeight' and 'imageWidth' are "
            r'\(3, 60\), its image is \(40, 60\)',
        ),
        (dict(shapes=[dict(points=[])]), r"shape 0 has no field 'label'"),
        (
            dict(shapes=[dict(label='a', group_id=7, points=[[1, 2], [3]])]),
            "field 'points' .* is no polygon",
        ),
    ],
)
def test_errors_name_file_shape_and_field(tmp_path, fields, message):
    write(tmp_path)
    edited(tmp_path, 1, **fields)
    with pytest.raises(ValueError, match=message):
        read(tmp_path)


def test_sizes_that_are_not_stated(tmp_path):
    write(tmp_path)
    edited(tmp_path, 0, imageHeight=None, imageWidth=None)
    assert len(read(tmp_path)) == 1


def test_missing_images(tmp_path):
    write(tmp_path)
    edited(tmp_path, 1, imagePath='C:\\data\\1.png')
    assert len(read(tmp_path)[0].file_names) == 3
    (tmp_path / 'clip/1.png').rename(tmp_path / 'clip/x.png')
    edited(tmp_path, 1, imagePath='C:\\data\\x.png')
    with pytest.raises(
        ValueError, match=r'no image 1\.\* beside it.*give x\.png and the JSON the same name'
    ):
        read(tmp_path)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty has no JSON'):
        read(tmp_path, videos=['empty'])


def shape_mask(record):
    counts = shape_counts(record, (H, W), Place('x'), Problems('x'))
    return decode_masks([counts], H, W)[0].astype(bool)


def test_circle_and_rectangle():
    circle = dict(shape_type='circle', points=[[30, 20], [30, 30]])
    mask = shape_mask(circle)
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.02)
    assert mask[20, 30] and not mask[20, 41]
    box = dict(shape_type='rectangle', points=[[10, 12], [4, 2]])
    assert (shape_mask(box) == box_mask(2, 4, 10, 6)).all()


def test_masks_in_base64():
    patch = np.array([[1, 0, 1], [1, 1, 1]], np.uint8) * 255
    buffer = io.BytesIO()
    Image.fromarray(patch).save(buffer, 'png')
    record = dict(
        shape_type='mask',
        points=[[5.0, 7.0], [7.0, 8.0]],
        mask=base64.b64encode(buffer.getvalue()).decode(),
    )
    mask = shape_mask(record)
    assert (mask[7:9, 5:8] == (patch > 0)).all() and mask.sum() == 5
    record['points'][0] = [58, 7]
    with pytest.raises(ValueError, match='does not fit into the image'):
        shape_mask(record)
    for broken in ('%%%', None, 'AAAA'):
        record['mask'] = broken
        with pytest.raises(ValueError, match='is no PNG in base64|the PNG is not a readable image'):
            shape_mask(record)


def test_rotated_rectangles_have_an_area():
    corners = [[30, 5], [40, 15], [30, 25], [20, 15]]
    for kind in ('rotation', 'oriented_rectangle', 'quadrilateral'):
        mask = shape_mask(dict(shape_type=kind, points=corners))
        assert mask.sum() == pytest.approx(200, rel=0.1)


@pytest.mark.parametrize('kind', ['point', 'line', 'linestrip', 'points', 'cuboid'])
def test_shapes_without_an_area_are_left_out_and_counted(tmp_path, kind):
    nose = dict(label='nose', group_id=None, shape_type=kind, points=[[3, 4]])
    table = ClassTable()
    source = LabelmeFolders(write(tmp_path, [[*FRAMES[0], nose], [*FRAMES[1], nose]]), table)
    (video,) = source
    assert [c['name'] for c in table.categories] == ['cat', 'dog']
    assert len(video.tracks) == 2
    assert source.problems.left_out == {f'shapes of type {kind!r}, which have no area': 2}


def test_classes_that_are_left_out_may_have_any_shape(tmp_path):
    odd = dict(label='wolf', group_id=None, shape_type='circle', points=[[3, 4]])
    table = ClassTable(renames={'wolf': None})
    (video,) = read(write(tmp_path, [[*FRAMES[0], odd, odd]]), table)
    assert len(video.tracks) == 2
    assert table.left_out == {'wolf': 1}


def test_polygons_that_cover_nothing_are_counted(tmp_path):
    frames = [
        [shape('dog', 1, (2, 3, 4, 4)), dict(label='dog', group_id=1, points=[[1, 2], [3, 4]])]
    ]
    source = LabelmeFolders(write(tmp_path, frames), ClassTable())
    (video,) = source
    assert (masks(video.tracks[0])[0] == box_mask(2, 3, 4, 4)).all()
    assert source.problems.left_out == {'polygons of fewer than three corners': 1}


def test_classes_have_the_same_ids_in_all_parts(tmp_path):
    dog, cat = shape('dog', 1, (2, 3, 4, 4)), shape('Cat', 2, (20, 3, 4, 4))
    first, second = ClassTable(), ClassTable()
    read(write(tmp_path / 'train', [[dog], [cat]]), first)
    read(write(tmp_path / 'val', [[cat, dog]]), second)
    assert first.categories == second.categories
    assert [(c['id'], c['name']) for c in first.categories] == [(1, 'Cat'), (2, 'dog')]
    # A part without cats takes the ids of the other file.
    path = tmp_path / 'train.json'
    path.write_text(json.dumps(dict(categories=first.categories)))
    third = ClassTable(target_classes(str(path)))
    (video,) = read(write(tmp_path / 'test', [[dog]]), third)
    assert [t.category_id for t in video.tracks] == [2]


def test_two_ungrouped_objects_of_a_frame_are_not_merged(tmp_path):
    pair = [shape('dog', None, (2, 3, 4, 4)), shape('dog', None, (20, 3, 4, 4))]
    write(tmp_path, [pair])
    with pytest.raises(
        ValueError, match='shape 1: the frame has two shapes .dog. without group_id'
    ):
        read(tmp_path, ungrouped=True)
    cat = shape('cat', None, (20, 3, 4, 4))
    (video,) = read(write(tmp_path, [[pair[0], cat]]), ungrouped=True)
    assert len(video.tracks) == 2


def test_masks_that_would_fill_the_memory_are_refused():
    buffer = io.BytesIO()
    Image.new('L', (3000, 3000)).save(buffer, 'png')
    text = base64.b64encode(buffer.getvalue()).decode()
    record = dict(shape_type='mask', points=[[5, 7], [9, 9]], mask=text)
    with pytest.raises(
        ValueError, match='3000 x 3000 .height x width. at x, y = .5, 7. does not fit'
    ):
        shape_mask(record)


def test_one_class_in_two_spellings_is_one_object(tmp_path):
    """Labels that become one class have one object without ids, not one for each spelling."""
    places = [(2, 3, 10, 20), (3, 4, 10, 20)]
    frames = [[shape(name, None, at)] for name, at in zip(('Polar bear', 'polar-bear '), places)]
    (video,) = read(write(tmp_path / 'a', frames), ungrouped=True)
    assert [[m.sum() for m in masks(track)] for track in video.tracks] == [[200, 200]]
    grouped = [[dict(each, group_id=4) for each in frame] for frame in frames]
    for number, per_class in enumerate((False, True)):
        (video,) = read(write(tmp_path / f'b{number}', grouped), ids_per_class=per_class)
        assert len(video.tracks) == 1
