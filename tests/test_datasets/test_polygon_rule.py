"""One rule for polygons, whoever reads them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_api
from small_sets import as_results, small_cocovid, small_set

from mmcico.analysis.check_file import check_data
from mmcico.analysis.stats import dataset_stats
from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.coco_images import coco_videos, still_video
from mmcico.datasets.converters.labelme_shapes import shape_counts
from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.formats import masks as mask_format
from mmcico.formats.problems import Place, Problems
from mmcico.formats.read import read_annotations

SIZE = (6, 8)
SQUARE = [1, 1, 5, 1, 5, 3, 1, 3]  # 4 x 2 pixels
LINE, POINT, NONE = [0, 0, 7, 5], [2, 2], []
THIN = [[LINE], [POINT], [NONE], [LINE, POINT, NONE, LINE]]

corners = st.tuples(
    st.one_of(st.integers(0, 8), st.floats(0, 8)), st.one_of(st.integers(0, 6), st.floats(0, 6))
)
polygons = st.lists(
    st.lists(corners, max_size=6).map(
        lambda pairs: [float(v) if isinstance(v, float) else v for pair in pairs for v in pair]
    ),
    max_size=4,
)


def read_mask(mask, size):
    return mask_format.read_mask(mask, size, Place('f.json'), Problems('f.json'))


def pixels(counts):
    if counts is None:
        return np.zeros(SIZE, bool)
    if isinstance(counts, str):
        counts = counts.encode()
    return mask_api.decode(dict(size=[*SIZE], counts=counts)).astype(bool)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(polygons)
def test_a_mask_is_the_union_of_its_polygons_of_three_corners(mask):
    seen = pixels(read_mask(mask, SIZE))
    drawn = [pixels(read_mask([each], SIZE)) for each in mask if len(each) >= 6]
    np.testing.assert_array_equal(np.any([np.zeros(SIZE, bool), *drawn], axis=0), seen)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.lists(st.integers(-20, 20), max_size=7),
            st.lists(st.sampled_from(['a', None, [1]]), max_size=3),
        ),
        max_size=3,
    )
)
def test_strict_and_collecting_use_refuse_the_same(mask):
    problems = Problems('f.json', collect=True)
    mask_format.read_mask(mask, SIZE, Place('f.json'), problems)
    try:
        read_mask(mask, SIZE)
    except ValueError as error:
        assert problems.is_refused and 'f.json: ' in str(error)
    else:
        assert not problems.is_refused


@pytest.mark.parametrize(
    'corner, fault',
    [
        ((9, 7), ''),  # one pixel outside 8 x 6 (width x height) is rounding
        ((-1, -1), ''),
        ((9.5, 3), 'x = 9.5, outside 0 to 8'),
        ((-1.5, 3), 'x = -1.5, outside 0 to 8'),
        ((3, 7.5), 'y = 7.5, outside 0 to 6'),
    ],
)
def test_corners_outside_of_the_frame(corner, fault):
    problems = Problems('f.json', collect=True)
    mask_format.read_mask([[1, 1, 5, 1, *corner]], SIZE, Place('f.json'), problems)
    assert [each.message for each in problems.found] == [f'polygon no. 0 has {fault}'] * bool(fault)


@pytest.mark.parametrize('thin', THIN)
def test_they_cover_nothing(thin):
    assert read_mask(thin, SIZE) is None
    assert pixels(read_mask([SQUARE, *thin], SIZE)).sum() == 8
    assert pixels(read_mask([*thin, SQUARE], SIZE)).sum() == 8


def with_line(mask):
    """The small set; the third mask of object 0 is as given."""
    data = small_set()
    data['annotations'][0]['segmentations'][2] = mask
    return data


def test_a_file_trains_counts_and_is_scored_alike():
    data = with_line([LINE, POINT])
    track = read_annotations(data, 'f.json').videos[0].tracks[0]
    assert [track.seen(t) for t in range(3)] == [True, True, False]
    stats = dataset_stats(read_annotations(data, 'f.json'))
    whole = dataset_stats(read_annotations(small_set(), 'f.json'))
    assert stats['masks'] == whole['masks'] - 1
    truth = read_ground_truth(data, 'f.json')
    objects = [each for tracks in truth.tracks.values() for each in tracks]
    assert [8, 8, 0] in [each.areas.tolist() for each in objects]
    results = as_results([each for each in data['annotations'] if not each['iscrowd']], 0.5)
    found = evaluate(truth, read_results(results, truth))
    assert found['AP'] == pytest.approx(1)


def test_a_cocovid_file_too():
    data = small_cocovid()
    record = data['annotations'][0]
    record['segmentation'] = [LINE]
    images = {each['id']: each for each in data['images']}
    frame = images[record['image_id']]['frame_id']
    counts = [
        sum(
            track.seen(frame)
            for video in read_annotations(each, 'f.json').videos
            if video.id == images[record['image_id']]['video_id']
            for track in video.tracks
        )
        for each in (data, small_cocovid())
    ]
    assert counts[0] == counts[1] - 1
    masks = [
        sum(
            (track.areas > 0).sum()
            for tracks in read_ground_truth(each, 'f.json').tracks.values()
            for track in tracks
        )
        for each in (data, small_cocovid())
    ]
    assert masks[0] == masks[1] - 1


def test_the_check_reports_each_with_its_place():
    report = check_data(with_line([SQUARE, LINE, POINT]), 'f.json')
    lines = [each.line() for each in report.found if each.kind == 'mask']
    start = (
        'warning [mask] f.json: video 0, frame 2 (a/15.jpg), annotation '
        "0, field 'segmentations': polygon no. "
    )
    assert [line[: len(start) + 13] for line in lines] == [
        start + '1 has 2 corne',
        start + '2 has 1 corne',
    ]
    alone = check_data(with_line([LINE]), 'f.json')
    assert {(each.kind, each.place.frame) for each in alone.found} == {('mask', 2), ('presence', 2)}
    assert not alone.num_errors
    assert check_data(small_set(), 'f.json').found == []


def test_an_object_of_such_polygons_alone_is_seen_nowhere():
    data = with_line([LINE])
    data['annotations'][0]['segmentations'] = [[LINE], [POINT], [NONE]]
    report = check_data(data, 'f.json')
    assert [each.kind for each in report.found if each.level == 'error'] == ['empty']


def test_converters_leave_them_out():
    shape = dict(label='cat', points=[[1, 1], [5, 5]])
    assert shape_counts(shape, SIZE, Place('f.json'), Problems('f.json')) is None
    image = dict(id=1, file_name='a.jpg', height=6, width=8)
    data = dict(
        images=[image],
        categories=[dict(id=1, name='cat')],
        annotations=[
            dict(id=1, image_id=1, category_id=1, segmentation=[LINE]),
            dict(id=2, image_id=1, category_id=1, segmentation=[SQUARE, LINE]),
        ],
    )
    (video,) = coco_videos(data, 'f.json', ClassTable(), still_video)
    assert [pixels(each.counts[0]).sum() for each in video.tracks] == [0, 8]


@pytest.mark.parametrize(
    'mask, is_told', [([[0.1, 0.1, 0.9, 0.1, 0.9, 1.0]], True), ([SQUARE], False)]
)
def test_shares_of_the_frame_are_told(mask, is_told):
    problems = Problems('f.json', collect=True)
    mask_format.read_mask(mask, SIZE, Place('f.json'), problems)
    told = [
        each for each in problems.found if 'all coordinates lie between 0 and 1' in each.message
    ]
    assert len(told) == is_told and not problems.is_refused
