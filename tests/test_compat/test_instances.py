"""Indices of InstanceData on devices that MMEngine does not know, such as a Mac's."""

import mmcico.compat  # noqa: F401

import pytest
import torch
from mmengine.structures import InstanceData


@pytest.mark.parametrize('dtype', [torch.long, torch.bool])
def test_tensors_of_any_device_select_instances(dtype):
    # "meta" stands for "mps", which only a Mac has
    data = InstanceData(scores=torch.zeros(3, device='meta'), boxes=torch.zeros(3, 4))
    data = data.to('meta')
    index = torch.zeros(3, dtype=dtype, device='meta')
    if dtype == torch.bool:  # its length is not known there; MMEngine must get beyond its check
        with pytest.raises(NotImplementedError, match='nonzero'):
            data[index]
    else:
        assert data[index].boxes.shape == (3, 4)


def test_other_indices_work_as_before():
    data = InstanceData(scores=torch.arange(3.0), names=['a', 'b', 'c'])
    chosen = torch.tensor([True, False, True])
    assert data[chosen].scores.tolist() == [0, 2] and data[chosen].names == ['a', 'c']
    assert data[torch.tensor([2, 0])].names == ['c', 'a']
    assert data[1].names == ['b'] and data[[0, 1]].names == ['a', 'b'] and data[1:].names[0] == 'b'
    with pytest.raises(AssertionError):
        data[chosen[:2]]
    with pytest.raises(AssertionError):
        data[torch.zeros(3)]
