import copy

import pytest
from small_sets import small_cocovid, small_set

from mmcico.analysis.stats import dataset_stats, spread, stats_text
from mmcico.formats.read import read_annotations


def stats_of(data):
    return dataset_stats(read_annotations(data, 'f.json'))


def test_numbers_by_hand():
    # two objects, of 3 frames x 8 pixels and 1 frame x 48 pixels; the crowd
    # is left out. Frames have 1, 1, 1 and 0, 1 objects
    stats = stats_of(small_set())
    expected = dict(
        file='f.json',
        videos=2,
        frames=5,
        objects=2,
        masks=4,
        crowds=1,
        left_out={},
        videos_without_objects=0,
        frames_without_objects=1,
        length=dict(min=2, mean=2.5, median=2.5, max=3),
        sizes=[dict(height=6, width=8, videos=2)],
        objects_per_video=dict(min=1, mean=1, median=1, max=1),
        objects_per_frame=dict(min=0, mean=0.8, median=1, max=1),
        classes=[
            dict(id=3, name='cat', objects=1, videos=1, masks=3),
            dict(id=40, name='dog', objects=1, videos=1, masks=1),
        ],
        visibility=dict(
            share_of_frames=dict(min=0.5, mean=0.75, median=0.75, max=1),
            in_all_frames=1,
            in_no_frame=0,
            come_back=0,
            enter_later=1,
            leave_early=0,
        ),
        occlusion=dict(no_occlusion=2, severe_occlusion=1, slight_occlusion=1),
        area=dict(
            pixels=dict(min=8, mean=28, median=28, max=48),
            share_of_frame=dict(min=1 / 6, mean=7 / 12, median=7 / 12, max=1),
            small=2,
            medium=0,
            large=0,
        ),
    )
    assert stats.pop('area')['share_of_frame'] == pytest.approx(
        expected.pop('area')['share_of_frame']
    )
    assert stats == expected
    assert stats_of(small_set())['area']['pixels'] == dict(min=8, mean=28, median=28, max=48)


def test_cocovid_has_the_same_numbers():
    first, second = stats_of(small_set()), stats_of(small_cocovid())
    assert second.pop('occlusion') == {} and first.pop('occlusion')
    assert first == second


def test_objects_that_leave_and_come_back():
    data = small_set()
    for key in ('segmentations', 'bboxes', 'areas', 'occlusion'):
        data['annotations'][0][key][1] = None
    seen = stats_of(data)['visibility']
    assert (seen['come_back'], seen['enter_later'], seen['leave_early'], seen['in_all_frames']) == (
        1,
        1,
        0,
        0,
    )


def test_an_object_that_is_never_seen():
    data = small_set()
    data['annotations'][1]['segmentations'] = [None, None]
    stats = stats_of(data)
    assert stats['visibility']['in_no_frame'] == 1
    assert stats['area']['pixels']['max'] == 8 and stats['area']['small'] == 1


@pytest.mark.parametrize(
    'side, key', [(127, 'small'), (128, 'medium'), (256, 'medium'), (257, 'large')]
)
def test_limits_of_areas(side, key):
    size = [300, 300]
    # columns of the mask hold `side` pixels, then the rest of the column
    runs = [0] + [side, 300 - side] * side + [300 * (300 - side)]
    runs[-2:] = [runs[-2] + runs[-1]]
    data = dict(
        videos=[dict(id=1, height=300, width=300, file_names=['a.jpg'])],
        categories=[dict(id=0, name='x')],
        annotations=[
            dict(id=1, video_id=1, category_id=0, segmentations=[dict(size=size, counts=runs)])
        ],
    )
    area = stats_of(data)['area']
    assert area['pixels']['max'] == side**2
    assert [name for name in ('small', 'medium', 'large') if area[name]] == [key]


@pytest.mark.parametrize('value', [None, []])
def test_without_annotations(value):
    data = dict(small_set(), annotations=value)
    stats = stats_of(data)
    assert stats['objects'] == 0 and stats['videos_without_objects'] == 2
    assert stats['area']['pixels'] is None
    text = stats_text(stats).splitlines()
    assert [line.split()[-1] for line in text if line.startswith('mean area')] == ['-', '-']
    assert spread([]) is None


def test_tables():
    data = copy.deepcopy(small_set())
    data['videos'] += [
        dict(id=100 + n, height=n + 1, width=2, file_names=['x.jpg']) for n in range(6)
    ]
    lines = stats_text(stats_of(data)).splitlines()
    for words in (
        ['videos', '8'],
        ['6', 'x', '8', '2'],
        ['2', 'other', 'sizes', '2'],
        ['cat', '(3)', '1', '1', '3'],
        ['share', 'of', 'frames', 'seen', '50.0%', '75.0%', '75.0%', '100.0%'],
        ['slight_occlusion', '1'],
    ):
        assert words in [line.split() for line in lines]
