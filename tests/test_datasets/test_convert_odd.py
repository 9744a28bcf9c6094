"""Sources with a value that is wrong: a ValueError, or a sound file."""

import copy
import json
from functools import partial

from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_video import as_cocovid, content, rle

from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.coco_images import coco_videos, still_video
from mmcico.datasets.converters.collect import collect, converted_data
from mmcico.datasets.converters.json_files import json_videos
from mmcico.datasets.converters.labelme import LabelmeFolders
from mmcico.formats.problems import Problems
from mmcico.formats.read import read_annotations

COCO = dict(
    images=[dict(id=1, file_name='a.jpg', height=8, width=12)],
    categories=[dict(id=2, name='cat', supercategory='animal')],
    annotations=[
        dict(
            id=5,
            image_id=1,
            category_id=2,
            iscrowd=0,
            bbox=[2, 1, 4, 3],
            segmentation=[[2, 1, 6, 1, 6, 4, 2, 4]],
        ),
        dict(id=6, image_id=1, category_id=2, segmentation=rle(0, 0, 2, 2)),
    ],
)
LABELME = dict(
    imageHeight=8,
    imageWidth=12,
    shapes=[dict(label='cat', group_id=1, shape_type='polygon', points=[[1, 1], [5, 1], [5, 5]])],
)
SOURCES = dict(
    vis=(content(), json_videos),
    cocovid=(as_cocovid(content()), json_videos),
    coco=(COCO, lambda *args: coco_videos(*args, partial(still_video, num_frames=2))),
)

odd = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        '',
        'x',
        '7',
        [],
        {},
        [None],
        [[]],
        [1, 2, 3],
        ['a'],
        [{}],
        dict(size=[8, 12], counts='08'),
        dict(size=None, counts=[96]),
        dict(size=[8, 12], counts=['a']),
        float('inf'),
    ]
)


def paths(value, here=()):
    """Places of all values inside."""
    yield here
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inside:
        yield from paths(each, here + (key,))


def spoilt(data, place, value):
    """A copy with another value at a place."""
    data = copy.deepcopy(data)
    at = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return data


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), st.data(), odd)
def test_files_with_one_odd_value(kind, data, value):
    sound, read = SOURCES[kind]
    places = [place for place in paths(sound) if place]
    place = data.draw(st.sampled_from(places))
    try:
        table = ClassTable()
        videos = read(spoilt(sound, place, value), 'in.json', table)
        file = collect(videos, table, Problems('in.json'))
    except ValueError as error:
        assert 'in.json' in str(error)
        return
    for layout in ('youtube_vis', 'cocovid'):
        new = converted_data(file, table, layout, 'test')
        read_annotations(json.loads(json.dumps(new, allow_nan=False)), 'new')


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(list(paths(LABELME))[1:]),
    odd,
    st.sampled_from([{}, dict(ungrouped=True), dict(ids_per_class=True)]),
)
@example(('shapes', 0, 'group_id'), None, dict(ungrouped=True))
def test_labelme_with_one_odd_value(tmp_path_factory, place, value, options):
    folder = tmp_path_factory.mktemp('odd') / 'clip'
    folder.mkdir()
    Image.new('L', (12, 8)).save(folder / 'a.png')
    (folder / 'a.json').write_text(json.dumps(spoilt(LABELME, place, value)))
    table = ClassTable()
    source = LabelmeFolders(folder.parent, table, **options)
    try:
        file = collect(source, table, source.problems)
    except ValueError as error:
        assert 'a.json' in str(error) or 'the source has no object' in str(error)
        return
    new = converted_data(file, table, 'youtube_vis', 'test')
    read_annotations(json.loads(json.dumps(new, allow_nan=False)), 'new')
