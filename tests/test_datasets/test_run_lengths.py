import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as mask_api
from small_sets import compressed, uncompressed

from mmcico.analysis.check_frames import area_matches
from mmcico.formats.masks import read_mask
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import mask_info, runs_of_list, runs_of_text


def test_text_by_hand():
    # columns 0 1 0 | 1 1 0: runs 1 1 1 2 1; from the fourth on less the run
    # before the last: 1 1 1 1 0, and a digit is 48 more
    assert runs_of_text('11110').tolist() == [1, 1, 1, 2, 1]
    assert mask_info(b'11110', (3, 2)) == ((3, 2), 3, (0.0, 0.0, 2.0, 2.0))


def test_numbers_of_several_characters():
    # 1000 = 31 * 32 + 8: digits 8 and 31, but bit 16 of the last digit is
    # the sign, so that a third digit 0 follows
    text = chr(48 + 8 + 32) + chr(48 + 31 + 32) + chr(48)
    assert runs_of_text(text).tolist() == [1000]


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_runs_area_and_box_are_those_of_the_pixels(mask):
    text, listed = compressed(mask), uncompressed(mask)
    assert runs_of_text(text['counts']).tolist() == listed['counts']
    for form in (text, listed):
        counts = read_mask(form, mask.shape, Place(), Problems('x'))
        if not mask.any():
            assert counts is None
            continue
        info = mask_info(counts, mask.shape)
        assert info.area == mask.sum()
        rows, cols = np.nonzero(mask)
        assert info.box == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_long_runs_as_pycocotools_writes_them(runs):
    size = [1, sum(runs)]
    code = mask_api.frPyObjects(dict(size=size, counts=runs), *size)
    assert runs_of_text(code['counts']).tolist() == runs


@pytest.mark.parametrize(
    'text, message',
    [
        ('1P', 'cut off'),
        ('1 1', 'no mask has, at position 1'),
        ('1é', 'position 1'),
        ('P' * 8 + '0', 'more than 35 bits'),
    ],
)
def test_broken_texts(text, message):
    with pytest.raises(ValueError, match=message):
        runs_of_text(text)


@pytest.mark.parametrize('counts', [[1.5, 2], ['1'], [[1], 2], [True, False], [None], [10**30]])
def test_lists_that_are_no_runs(counts):
    with pytest.raises(ValueError, match='whole numbers'):
        runs_of_list(counts)


@pytest.mark.parametrize(
    'mask, kind, message',
    [
        ('text', 'mask', 'neither RLE'),
        (dict(size=[3, 2]), 'mask', 'neither RLE'),
        (dict(size=[2, 3], counts=[6]), 'size', 'swapped'),
        (dict(size=[9, 9], counts=[81]), 'size', r'\[9, 9\].*\[3, 2\]'),
        (dict(size='3x2', counts=[6]), 'size', r"size '3x2', the video \[3, 2\]"),
        (dict(size=[3, 0], counts=[0]), 'size', r'\[3, 0\]'),
        (dict(size=[3, 2], counts=[7, -1]), 'mask', 'no. 1 is negative'),
        (dict(size=[3, 2], counts=[5]), 'mask', '5 pixels, height x width is 6'),
        (dict(size=[3, 2], counts=''), 'mask', '0 pixels'),
        (dict(size=[3, 2], counts=None), 'mask', 'neither a text'),
        ([[0, 0, 1, 0, 1, 1], [0, 0, 1, 1, 2]], 'mask', 'polygon no. 1'),
        ([[0, 0, 1, float('nan'), 1, 1]], 'mask', 'far outside the frame'),
        ([0, 0, 1, 0, 1, 1], 'mask', 'polygon no. 0 is 0'),
        ([[0, 0, 1, 0, 1, 4.5]], 'mask', 'y = 4.5, outside 0 to 3'),
        ([[-2, 0, 1, 0, 1, 2]], 'mask', 'x = -2, outside 0 to 2'),
    ],
)
def test_masks_that_cannot_be_used(mask, kind, message):
    problems = Problems('x', collect=True)
    read_mask(mask, (3, 2), Place('x'), problems)
    (problem,) = problems.found
    assert problem.kind == kind and re.search(message, problem.text())


@pytest.mark.parametrize('mask', [None, [], {}])
def test_nothing(mask):
    assert read_mask(mask, (3, 2), Place(), Problems('x')) is None


def test_areas_of_polygons_may_differ_more():
    assert area_matches(100.5, 100, False)
    assert not area_matches(101, 100, False)
    assert area_matches(109, 100, True) and not area_matches(111, 100, True)
    assert area_matches(8, 5, True) and not area_matches(10, 5, True)
