import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_sets import box_mask, compressed, small_cocovid, small_set
from tool_runs import tool_module

from mmcico.formats.read import read_annotations

tool = tool_module('benchmarks/temporal_coherence.py')
coherence = sys.modules['coherence']
Coherence, Histogram = coherence.Coherence, coherence.Histogram
dataset_coherence, frame_values = coherence.dataset_coherence, coherence.frame_values
neighbour_box_ious = coherence.neighbour_box_ious
neighbour_mask_ious = coherence.neighbour_mask_ious
coherence_text, plot_coherence = tool.coherence_text, tool.plot_coherence

NAN = float('nan')


def coherence_of(data, intervals=4):
    return dataset_coherence(read_annotations(data, 'f.json'), intervals)


def test_formula_by_hand():
    # boxes of 4 x 2 at x = 1, 2, 3: frames next to each other share 3 x 2 of
    # 10 pixels, those two apart 2 x 2 of 12
    found = coherence_of(small_set(), 3).as_dict()
    for name in ('boxes', 'masks'):
        near, far, none = (found[name][d] for d in '123')
        # first .6, middle (.6 + .6) / 2, last .6
        assert near['count'] == 3 and near['mean'] == pytest.approx(0.6)
        assert near['histogram'] == [0] * 12 + [3] + [0] * 7
        # the middle frame has no frame two apart
        assert far['count'] == 2 and far['mean'] == pytest.approx(1 / 3)
        assert far['histogram'][6] == 2 and far['share_above'] == 0
        assert none == dict(count=0, mean=None, share_above=None, histogram=[0] * 20)
    assert (found['videos'], found['objects']) == (2, 2)


def test_middle_frame_has_the_mean_of_both_sides():
    ious = np.array([[0.2, 0.8, NAN, NAN], [0.4, NAN, NAN, NAN]])
    near, far = frame_values(ious)
    assert near.tolist() == pytest.approx([0.2, 0.5, 0.8])
    assert far.tolist() == [0.4, 0.4]


def test_an_object_that_is_away():
    # seen in frames 0, 1 and 3, 4: no value over the gap at distance 1
    mask = compressed(box_mask(0, 0, 2, 2))['counts'].encode()
    ious = neighbour_mask_ious([mask, mask, None, mask, mask], (6, 8), 4)
    assert np.isnan(ious).tolist() == [
        [False, True, True, False, True],
        [True, False, True, True, True],
        [False, False, True, True, True],
        [False, True, True, True, True],
    ]
    assert [len(each) for each in frame_values(ious)] == [4, 2, 4, 2]


def slow_values(present, iou, distance):
    """Section 3.2 word by word."""
    values = []
    for t in range(len(present)):
        if not present[t]:
            continue
        both = [
            iou(t, other)
            for other in (t - distance, t + distance)
            if 0 <= other < len(present) and present[other]
        ]
        if both:
            values.append(sum(both) / len(both))
    return values


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 8), st.just(4), st.just(5))), st.integers(1, 5))
def test_masks_against_pixels(masks, intervals):
    present = masks.any(axis=(1, 2)).tolist()
    counts = [
        compressed(mask)['counts'].encode() if seen else None for mask, seen in zip(masks, present)
    ]

    def iou(s, t):
        return (masks[s] & masks[t]).sum() / (masks[s] | masks[t]).sum()

    values = frame_values(neighbour_mask_ious(counts, (4, 5), intervals))
    assert len(values) == intervals
    for d, found in enumerate(values, start=1):
        assert found.tolist() == pytest.approx(slow_values(present, iou, d))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(st.none(), st.tuples(*[st.integers(-5, 5)] * 2, *[st.integers(1, 6)] * 2)),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 5),
)
def test_boxes_against_cells(boxes, intervals):
    cells = [
        box
        and {(x, y) for x in range(box[0], box[0] + box[2]) for y in range(box[1], box[1] + box[3])}
        for box in boxes
    ]

    def iou(s, t):
        return len(cells[s] & cells[t]) / len(cells[s] | cells[t])

    rows = np.array([box or (NAN,) * 4 for box in boxes], float)
    values = frame_values(neighbour_box_ious(rows, intervals))
    for d, found in enumerate(values, start=1):
        assert found.tolist() == pytest.approx(slow_values(list(map(bool, boxes)), iou, d))


def test_bins_have_their_lower_edge():
    histogram = Histogram()
    histogram.add(np.arange(20) / 20)
    histogram.add(np.array([1.0]))
    assert histogram.bins.tolist() == [1] * 19 + [2]
    # .75, .8, .85, .9, .95 and 1
    assert histogram.above == 6 == histogram.bins[15:].sum()
    thirds = Histogram()
    thirds.add(np.array([0.1 + 0.2, 0.7 + 0.05, 3 * 0.25, 0.15 * 5]))
    assert np.flatnonzero(thirds.bins).tolist() == [6, 15]
    assert thirds.above == 3


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=30))
def test_share_above_is_that_of_the_last_five_bins(values):
    histogram = Histogram()
    histogram.add(np.array(values, float))
    found = histogram.as_dict()
    assert found['count'] == len(values)
    assert sum(found['histogram'][15:]) == histogram.above
    if values:
        assert found['mean'] == pytest.approx(np.mean(values))


def test_boxes_come_from_masks_where_the_file_has_none():
    first, second = small_set(), small_set()
    for track in second['annotations']:
        del track['bboxes']
    assert coherence_of(first).as_dict() == coherence_of(second).as_dict()
    # and are taken as they are where it has some
    first['annotations'][0]['bboxes'] = [[1, 1, 4, 2]] * 3
    assert coherence_of(first).as_dict()['boxes']['1']['mean'] == 1


def test_cocovid_gives_the_same():
    assert coherence_of(small_set()).as_dict() == coherence_of(small_cocovid()).as_dict()


def test_crowds_are_left_out_and_nothing_is_no_error():
    data = small_set()
    for track in data['annotations']:
        track['iscrowd'] = 1
    found = coherence_of(data).as_dict()
    assert found['objects'] == 0 and found['masks']['1']['mean'] is None
    assert coherence_text(dict(found, file='f')).splitlines()[-1].split() == [
        '4',
        '0',
        '-',
        '-',
        '-',
        '-',
    ]


def test_distance_must_be_one_at_least():
    with pytest.raises(ValueError, match='intervals is 0'):
        Coherence(0)


def test_table():
    found = dict(coherence_of(small_set()).as_dict(), file='f.json')
    lines = coherence_text(found).splitlines()
    assert lines[0] == 'f.json: 2 videos, 2 objects'
    assert lines[3].split() == ['1', '3', '0.600', '0.0%', '0.600', '0.0%']


def test_figure(tmp_path):
    pytest.importorskip('matplotlib')
    from PIL import Image

    found = coherence_of(small_set()).as_dict()
    plot_coherence(found, str(tmp_path / 'new' / 'a.png'))
    with Image.open(tmp_path / 'new' / 'a.png') as image:
        blue = (np.asarray(image.convert('RGB')) == (31, 119, 180)).all(-1)
    # bars at distances 1 and 2 only, in both rows
    width = blue.shape[1] // 4
    assert [bool(blue[:, n * width : (n + 1) * width].any()) for n in range(4)] == [
        True,
        True,
        False,
        False,
    ]


def test_figure_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'matplotlib.figure', None)
    with pytest.raises(ValueError, match='matplotlib, which is not installed'):
        plot_coherence(coherence_of(small_set()).as_dict(), str(tmp_path / 'a.png'))
