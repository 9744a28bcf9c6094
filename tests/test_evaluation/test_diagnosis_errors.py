import numpy as np
import pytest
from vis_files import annotation, ground_truth, result

from mmcico.evaluation import read_ground_truth, read_results
from mmcico.evaluation.diagnosis import diagnose, read_cases
from mmcico.evaluation.diagnosis.errors import (
    KINDS,
    confusion_matrix,
    count_errors,
    missed_objects,
    prediction_kinds,
)
from mmcico.evaluation.diagnosis.mask_oracles import (
    home_objects,
    own_objects,
    perfect_association,
    shown_objects,
)

LEFT, RIGHT, LOW, NEAR = (0, 0, 4, 4), (5, 0, 9, 4), (0, 5, 4, 8), (0, 2, 4, 6)


def read(annotations, results, length=1):
    truth = read_ground_truth(ground_truth(annotations, lengths=[length]))
    return truth, read_results(results, truth)


def case_of(*args):
    return next(read_cases(*read(*args)))


@pytest.fixture
def mixed():
    """One prediction of each kind, scores falling."""
    objects = [annotation([LEFT]), annotation([RIGHT], 11), annotation([LOW], iscrowd=1)]
    results = [
        result([LEFT], 0.95),
        result([LOW], 0.9),
        result([LEFT], 0.85),
        result([RIGHT], 0.8),
        result([(0, 0, 4, 1)], 0.75),  # 4 / 16
        result([(5, 0, 9, 1)], 0.7),  # 4 / 16 with the other class
        result([(9, 5, 10, 8)], 0.65),
    ]
    return objects, results


def test_one_of_each_kind(mixed):
    kinds = prediction_kinds(case_of(*mixed))
    names = [KINDS[kind] for kind in kinds[0]]
    assert names == [
        'right',
        'ignored',
        'duplicate',
        'classification',
        'weak overlap',
        'weak overlap and classification',
        'background',
    ]
    assert (kinds == kinds[0]).all()  # perfect masks: at all thresholds


def test_kinds_depend_on_the_threshold():
    # IoU 12 / 16, which is .75
    case = case_of([annotation([LEFT])], [result([(0, 0, 4, 3)])])
    assert [KINDS[kind] for kind in prediction_kinds(case)[:, 0]] == ['right'] * 6 + [
        'weak overlap'
    ] * 4


def test_numbers_by_class(mixed):
    counts = count_errors(case_of(*mixed), 2)
    assert counts['objects'].tolist() == [1, 1]  # without the crowd
    assert counts['found'].tolist() == [1, 0]
    assert counts['missed'].tolist() == [0, 0]  # seen, in a wrong class
    assert counts['right'].tolist() == [1, 0]
    assert sum(counts[kind].sum() for kind in KINDS) == 7


def test_missed_is_what_nothing_overlaps():
    case = case_of(
        [annotation([LEFT]), annotation([RIGHT], 11)], [result([(0, 0, 1, 1)])]
    )  # IoU 1 / 16
    assert missed_objects(case).tolist() == [True, True]
    case = case_of([annotation([LEFT])], [result([(0, 0, 2, 1)], 0.9, 11)])
    assert missed_objects(case).tolist() == [False]  # 2 / 16


def test_crowd_is_neither_missed_nor_a_class():
    case = case_of([annotation([LEFT], iscrowd=1)], [result([RIGHT])])
    assert missed_objects(case).tolist() == [False]
    case = case_of([annotation([LEFT], 11, iscrowd=1)], [result([LEFT])])
    assert KINDS[prediction_kinds(case)[0, 0]] == ('weak overlap and classification')


def test_confusion_by_hand(mixed):
    case = case_of(*mixed)
    matrix = confusion_matrix(case, 2, score_thr=0.3)
    assert matrix.tolist() == [
        [1, 0, 0],  # LEFT found
        [1, 0, 0],  # RIGHT taken for class 0
        [1, 0, 0],  # the second LEFT
        [3, 0, 0],  # two of weak overlap, one on nothing
    ]
    matrix = confusion_matrix(case, 2, score_thr=0.85)
    assert matrix.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert confusion_matrix(case, 2, score_thr=2).tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 0],
    ]


def test_own_object_is_the_one_taken_else_the_nearest():
    objects = [annotation([LEFT]), annotation([RIGHT])]
    both = (0, 0, 9, 4)  # 16 / 36 with each
    case = case_of(objects, [result([LEFT]), result([both], 0.8), result([LOW], 0.7)])
    assert own_objects(case).tolist() == [0, 0, -1]
    case = case_of(objects, [result([LEFT], 0.9, 11)])
    assert own_objects(case).tolist() == [-1]  # of another class
    crowd = case_of([annotation([LEFT], iscrowd=1)], [result([LEFT])])
    assert own_objects(crowd).tolist() == [-1]
    assert shown_objects(crowd).tolist() == [[-1]]
    halves = [annotation([LEFT]), annotation([(4, 0, 8, 4)])]
    # IoU .5 with both: of equal ones the metric takes the last
    case = case_of(halves, [result([(0, 0, 8, 4)])])
    assert own_objects(case).tolist() == [1] == case.taken[0].tolist()


def test_shown_and_home_objects():
    objects = [annotation([LEFT] * 4), annotation([RIGHT] * 4, 11)]
    case = case_of(
        objects, [result([RIGHT, LEFT, None, LEFT]), result([LEFT, RIGHT, LOW, NEAR], 0.8)], 4
    )
    shown = shown_objects(case)
    # NEAR overlaps LEFT by 8 of 24 cells
    assert shown.tolist() == [[1, 0, -1, 0], [0, 1, -1, -1]]
    assert home_objects(shown, 2).tolist() == [0, 0]
    assert home_objects(np.full((2, 3), -1), 0).tolist() == [-1, -1]


def test_association_only_moves_masks_within_frames():
    objects = [annotation([LEFT] * 4), annotation([RIGHT] * 4)]
    before = case_of(
        objects, [result([LEFT, LEFT, RIGHT, LOW]), result([RIGHT, RIGHT, LEFT, LEFT], 0.8)], 4
    )
    after = perfect_association(before)
    left, right, low = [before.predictions[0].masks[i] for i in (0, 2, 3)]
    # the homes are LEFT and, as that was first, RIGHT; LOW shows nothing and
    # goes to the track that gave LEFT away
    assert after.predictions[0].masks == [left] * 4
    assert after.predictions[1].masks == [right, right, right, low]
    assert after.scores.tolist() == [0.9, 0.8]
    assert after.predictions[0].areas.tolist() == [16] * 4


def test_second_mask_of_an_object_is_taken_away():
    objects = [annotation([LEFT] * 3), annotation([RIGHT] * 3)]
    case = case_of(
        objects,
        [
            result([LEFT, LEFT, RIGHT]),
            result([RIGHT, RIGHT, RIGHT], 0.8),
            result([None, None, None], 0.7),
        ],
        3,
    )
    after = perfect_association(case)
    # a track that was empty before stays
    assert after.areas.tolist() == [[16, 16, 0], [16] * 3, [0] * 3]


def test_table_and_curves_of_classes():
    objects = [annotation([LEFT]), annotation([RIGHT])]
    results = [result([LEFT]), result([LOW], 0.8), result([RIGHT], 0.7)]
    found = diagnose(*read(objects, results), with_frames=False)
    first, second = found['classes']
    expected = (51 + 50 * 2 / 3) / 101
    for key in ('AP', 'AP50', 'AP75'):
        assert first[key] == pytest.approx(expected)
    assert first['AR100'] == 1 and first['objects'] == 2
    assert first['right'] == 2 and first['background'] == 1
    assert second['AP'] is None and second['objects'] == 0
    curves = found['curves']
    assert list(curves['precision']) == ['class_0']
    assert curves['recall'][50] == 0.5
    for level in ('0.50', '0.75', '0.50:0.95'):
        points = curves['precision']['class_0'][level]
        assert points == pytest.approx([1.0] * 51 + [2 / 3] * 50)
    assert 'frames' not in found
    assert found['metrics']['AP'] == pytest.approx(expected)


def test_unknown_metric():
    with pytest.raises(ValueError, match="metric is 'coco'"):
        diagnose(*read([annotation([LEFT])], []), metric='coco')
