"""Selections of instances."""

import torch
from mmengine.structures import InstanceData

from mmcico.structures.devices import chosen_rows, listed_rows


def three():
    return InstanceData(labels=torch.tensor([4, 5, 6]), scores=torch.tensor([0.1, 0.2, 0.3]))


def test_chosen_and_listed_rows():
    assert chosen_rows(three(), torch.tensor([True, False, True])).labels.tolist() == [4, 6]
    rows = listed_rows(three(), [2])
    assert (rows.labels.tolist(), rows.scores.tolist()) == ([6], three().scores[2:].tolist())
    assert len(listed_rows(three(), [])) == 0


def test_all_rows_are_not_copied_and_have_fields_of_their_own():
    instances = three()
    for rows in (chosen_rows(instances, torch.ones(3).bool()), listed_rows(instances, [0, 1, 2])):
        assert rows.labels.data_ptr() == instances.labels.data_ptr()
        rows.labels = rows.labels + 1
        assert instances.labels.tolist() == [4, 5, 6]
