"""Comparison of results, by hand."""

import torch
from mmengine.structures import InstanceData

from mmcico.deployment import Agreement, compare_clips


def clip(ids=(4, 2), labels=(0, 1), shift=0.0, score=0.5):
    masks = torch.zeros(len(ids), 1, 2, 2)
    masks[:, 0, 0] = 1
    return InstanceData(
        instances_id=torch.tensor(ids),
        labels=torch.tensor(labels),
        bboxes=torch.ones(len(ids), 1, 4) + shift,
        scores=torch.full((len(ids),), score),
        masks=masks,
    )


def test_differences_are_the_largest_and_pixels_are_counted():
    other = clip(shift=0.25, score=0.75)
    other.masks[0, 0, 1, 1] = 0.6
    found = compare_clips(other, clip())
    assert found == Agreement(1, 2, True, 0.25, 0.25, 5, 1)
    assert found.mask_share == 0.2
    total = found + compare_clips(clip(), clip())
    assert total == Agreement(2, 4, True, 0.25, 0.25, 9, 1)


def test_other_ids_classes_or_numbers_are_not_the_same():
    wrong = [clip(ids=(2, 4)), clip(labels=(1, 1)), clip(ids=(), labels=())]
    for other in wrong:
        assert not compare_clips(other, clip()).same
        assert not (compare_clips(clip(), clip()) + compare_clips(other, clip())).same
    none = clip(ids=(), labels=())
    assert compare_clips(none, none) == Agreement(clips=1)
    assert Agreement().mask_share == 0
