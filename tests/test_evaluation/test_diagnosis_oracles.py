"""Each oracle on cases whose answer is known, and all on random ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vis_files import SIZE, annotation, ground_truth, result

from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.diagnosis import ORACLES, break_down, read_cases

LEFT, RIGHT, LOW = (0, 0, 4, 4), (5, 0, 9, 4), (0, 5, 4, 8)
BASE = 'as it is'


def figures(annotations, results, length, key='AP', classes=2):
    """AP of each oracle."""
    truth = read_ground_truth(ground_truth(annotations, lengths=[length], classes=classes))
    tracks = read_results(results, truth)
    names = [name for _, name in truth.categories]
    found = break_down(read_cases(truth, tracks), names).as_dict()
    assert found['oracles'][BASE]['AP'] == pytest.approx(evaluate(truth, tracks)['AP'], abs=1e-12)
    return {name: each[key] for name, each in found['oracles'].items()}


def check_only(annotations, results, length, wrong, base):
    """Only the oracle of what is wrong helps, and it mends all."""
    aps = figures(annotations, results, length)
    for name, value in aps.items():
        assert value == pytest.approx(1.0 if name == wrong else base), name


def test_swapped_ids_are_mended_by_association_alone():
    both = [annotation([LEFT] * 4), annotation([RIGHT] * 4)]
    swapped = [result([LEFT] * 2 + [RIGHT] * 2), result([RIGHT] * 2 + [LEFT] * 2, 0.8)]
    # each has an IoU of 1 / 3 with both objects
    check_only(both, swapped, 4, 'association', 0.0)


def test_ids_swapped_between_classes():
    both = [annotation([LEFT] * 4), annotation([RIGHT] * 4, 11)]
    swapped = [result([LEFT] * 2 + [RIGHT] * 2), result([RIGHT] * 2 + [LEFT] * 2, 0.8, 11)]
    check_only(both, swapped, 4, 'association', 0.0)


def test_object_that_no_track_belongs_to():
    both = [annotation([LEFT] * 5), annotation([None] * 3 + [RIGHT] * 2)]
    # the id of the left object jumps to the right one when that appears
    aps = figures(both, [result([LEFT] * 3 + [RIGHT] * 2)], 5)
    # in cells 48 of 112 with the left one, 32 of 80 with the right one
    assert aps[BASE] == 0
    # two tracks of the same score: the first has an IoU of .6, enough at
    # three thresholds, the second is perfect; else wrong, right
    expected = 0.3 + 0.7 * 0.5 * 51 / 101
    assert aps['association'] == pytest.approx(expected)


def test_fragments_become_one_track():
    # a track that breaks, whose second part drifts away at its end
    parts = [result([LEFT, LEFT, None, None, None]), result([None, None, LEFT, LEFT, LOW], 0.8)]
    aps = figures([annotation([LEFT] * 4 + [None])], parts, 5)
    # IoU 2 / 4 and, in cells, 32 of 64 + 12: the first is right at .5
    assert aps[BASE] == pytest.approx(0.1)
    # the first gets all four masks; of the second only LOW is left, after it
    assert aps['association'] == pytest.approx(1.0)
    # the frames are shown by another track, so coverage has nothing to add
    assert aps['coverage'] == pytest.approx(0.1)


def test_duplicates_are_no_matter_of_association():
    both = [annotation([LEFT] * 2), annotation([RIGHT] * 2)]
    results = [result([LEFT] * 2, 0.9), result([LEFT] * 2, 0.8), result([RIGHT] * 2, 0.7)]
    # precision is 1 up to a recall of .5 (51 of 101 points), then 2 / 3
    check_only(both, results, 2, 'duplicates', (51 + 50 * 2 / 3) / 101)


def test_wrong_classes():
    both = [annotation([LEFT] * 2), annotation([RIGHT] * 2, 11)]
    swapped = [result([LEFT] * 2, 0.9, 11), result([RIGHT] * 2, 0.8, 10)]
    check_only(both, swapped, 2, 'classification', 0.0)


def test_wrong_class_of_a_better_score_replaces_the_right_one():
    one = [annotation([LEFT] * 2), annotation([RIGHT] * 2)]
    results = [
        result([LEFT] * 2, 0.9, 11),  # should be 10
        result([LOW] * 2, 0.8),  # background
        result([LEFT] * 2, 0.7),
        result([RIGHT] * 2, 0.6),
    ]
    aps = figures(one, results, 2)
    # of class 10: wrong, right, right: 1/2 and 2/3, at its best 2/3
    assert aps[BASE] == pytest.approx(2 / 3)
    # right (.9), wrong, right (.6)
    assert aps['classification'] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert aps['background'] == pytest.approx(1.0)


def test_two_of_a_wrong_class_are_one_object():
    objects = [annotation([LEFT] * 2), annotation([RIGHT] * 2)]
    results = [result([LEFT] * 2, score, 11) for score in (0.9, 0.8)]
    aps = figures(objects, results, 2)
    # a recall of one half, no false positive
    assert aps['classification'] == pytest.approx(51 / 101)


def test_crowds_give_no_class():
    objects = [
        annotation([RIGHT] * 2),
        annotation([LEFT] * 2, iscrowd=1),
        annotation([(0, 0, 4, 3)] * 2, 11),
    ]
    results = [
        result([RIGHT] * 2),
        result([LEFT] * 2, 0.8, 12),  # IoU .75 with the object of class 11
    ]
    aps = figures(objects, results, 2, classes=3)
    assert aps[BASE] == pytest.approx(0.5)
    assert aps['classification'] == pytest.approx((1 + 0.6) / 2)


def test_poor_masks():
    # IoU 8 / 20 in each frame
    check_only([annotation([LEFT] * 3)], [result([(0, 2, 4, 7)] * 3)], 3, 'segmentation', 0.0)


def test_frames_that_are_missing_or_too_many():
    one = [annotation([LEFT] * 4 + [None])]
    # IoU 16 / 64 and 16 / 32
    check_only(one, [result([LEFT] + [None] * 4)], 5, 'coverage', 0.0)
    one = [annotation([LEFT] + [None] * 4)]
    check_only(one, [result([LEFT] * 5)], 5, 'coverage', 0.0)


def test_masks_on_other_objects_are_no_matter_of_coverage():
    both = [annotation([LEFT] + [None] * 4), annotation([RIGHT] * 5)]
    aps = figures(both, [result([LEFT] + [RIGHT] * 4)], 5)
    # the track belongs to the right one (IoU 64 / 96), and shows the left
    # one while the right one is there
    assert aps['coverage'] == pytest.approx(aps[BASE])
    both = [annotation([LEFT] * 3), annotation([RIGHT] + [None] * 2)]
    aps = figures(both, [result([RIGHT] + [LEFT] * 2)], 3)
    assert aps['coverage'] == pytest.approx(aps[BASE])
    both = [annotation([LEFT] * 2 + [None]), annotation([RIGHT] * 3)]
    aps = figures(both, [result([LEFT, LEFT, RIGHT])], 3)
    # 32 of 48 with the left one, up to .65
    assert aps[BASE] == pytest.approx(0.4 * 51 / 101)
    assert aps['coverage'] == pytest.approx(aps[BASE])


def test_background():
    one = [annotation([LEFT] * 2)]
    results = [result([RIGHT] * 2, 0.9), result([LEFT] * 2, 0.8)]
    check_only(one, results, 2, 'background', 0.5)


def test_missed_object():
    both = [annotation([LEFT] * 2), annotation([RIGHT] * 2)]
    check_only(both, [result([LEFT] * 2)], 2, 'misses', 51 / 101)


def test_nothing_predicted_is_missed():
    check_only([annotation([LEFT])], [], 1, 'misses', 0.0)


def test_perfect_result_stays_perfect():
    both = [annotation([LEFT, None, LOW]), annotation([None, RIGHT, None], 11)]
    results = [result([LEFT, None, LOW]), result([None, RIGHT, None], 0.8, category_id=11)]
    assert [*figures(both, results, 3).values()] == pytest.approx([1.0] * 8)


def test_no_objects_at_all():
    crowd = [annotation([LEFT], iscrowd=1)]
    aps = figures(crowd, [result([LEFT])], 1)
    assert set(aps.values()) == {None}


def test_crowds_are_neither_found_nor_missed_nor_followed():
    objects = [annotation([LEFT] * 2), annotation([RIGHT] * 2, iscrowd=1)]
    results = [result([RIGHT] * 2, 0.9), result([LEFT] * 2, 0.8)]
    # the first is ignored, by all oracles
    aps = figures(objects, results, 2)
    assert [*aps.values()] == pytest.approx([1.0] * 8)


def box_in(left, right):
    """Rectangles in a band of columns, or None."""
    rows = st.tuples(st.integers(0, SIZE[0] - 1), st.integers(1, SIZE[0]))
    cols = st.tuples(st.integers(left, right - 1), st.integers(left + 1, right))
    return st.none() | st.tuples(rows, cols).map(
        lambda at: (at[1][0], at[0][0], max(at[1][1], at[1][0] + 1), max(at[0][1], at[0][0] + 1))
    )


LENGTH = 3


@st.composite
def results_files(draw):
    """Objects in bands of their own, near and random predictions."""
    annotations, results = [], []
    for left, right in ((0, 3), (3, 6), (6, 10)):
        boxes = draw(st.lists(box_in(left, right), min_size=3, max_size=3))
        if any(boxes) and draw(st.booleans()):
            annotations.append(annotation(boxes, draw(st.sampled_from([10, 11]))))
    for _ in range(draw(st.integers(0, 5))):
        boxes = draw(st.lists(box_in(0, 10), min_size=3, max_size=3))
        new = result(
            boxes, draw(st.sampled_from([0.2, 0.5, 0.8, 0.9])), draw(st.sampled_from([10, 11]))
        )
        # part of the masks are those of objects
        for frame in range(LENGTH):
            if annotations and draw(st.booleans()):
                source = draw(st.sampled_from(annotations))
                new['segmentations'][frame] = source['segmentations'][frame]
        results.append(new)
    return annotations, results


@settings(max_examples=60, deadline=None)
@given(results_files())
def test_oracles_never_lower_ap(files):
    annotations, results = files
    if not annotations:
        return
    truth = read_ground_truth(ground_truth(annotations, lengths=[LENGTH]))
    tracks = read_results(results, truth)
    found = break_down(read_cases(truth, tracks), ['a', 'b']).curves
    for name in ORACLES:
        if name == 'association':  # can fall, as its docstring says
            continue
        for before, after in zip(found[BASE], found[name]):
            if before is not None and after is not None:
                worst = (after.precision - before.precision).min()
                assert worst > -1e-9, name
            elif before is not None:  # all of its objects were missed
                assert before.precision.max() == 0


def test_association_can_lower_ap():
    """The case that its docstring names."""
    one = [annotation([LEFT] * 3)]
    results = [  # masks of IoU 8/16 with the better score, perfect with less
        result([(0, 0, 4, 2), (0, 0, 4, 2), None], 0.9),
        result([LEFT] * 3, 0.8),
    ]
    aps = figures(one, results, 3)
    assert aps[BASE] == pytest.approx(0.5)
    # the first gets the third mask: 32 of 48 cells, right up to .65; the
    # second loses it: 32 of 48, too
    assert aps['association'] == pytest.approx(0.4)
