"""The gradients of a batch do not depend on how many processes share it."""

import pytest
import torch
from gradients import VARIANTS, gradients, save_gradients
from mmengine.registry import DefaultScope
from processes import forked

from mmcico.models.losses import over_processes


@pytest.mark.slow
def test_processes_share_a_batch(tmp_path):
    size = 3  # the third has no objects
    done = forked(size, lambda: save_gradients(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    with DefaultScope.overwrite_default_scope('mmdet'):
        for name in VARIANTS:
            shared = torch.load(tmp_path / f'{name}.pth', weights_only=True)
            whole = gradients(name, 2 * size)
            assert shared.keys() == whole.keys()
            for key, value in whole.items():
                gap = (shared[key] - value).norm() / value.norm().clamp(min=1e-6)
                assert gap < 1e-5, (name, key, gap)


def two_processes(monkeypatch, rank, others):
    """Act as one of two processes, of which the other sends these tensors in turn."""
    others = iter(others)
    for name, value in (('get_world_size', 2), ('get_rank', rank)):
        monkeypatch.setattr(over_processes, name, lambda value=value: value)

    def gather(mine):
        both = [mine, torch.as_tensor(next(others)).to(mine)]
        return both if rank == 0 else both[::-1]

    monkeypatch.setattr(over_processes, 'all_gather', gather)


def test_hardest_of_two_processes(monkeypatch):
    own = torch.tensor([1.0, 5.0, 3.0], requires_grad=True)
    assert over_processes.hardest(own, 2).tolist() == [5, 3]
    two_processes(monkeypatch, 0, [[4.0, 0.5, -torch.inf], [9.0, 8.0, 7.0]])
    found = over_processes.hardest(own, 3)
    assert found.tolist() == [5, 3]
    found.sum().backward()
    assert own.grad.tolist() == [0, 1, 1]
    assert over_processes.hardest(own, 3).tolist() == []


def test_rows_of_two_processes(monkeypatch):
    own = torch.tensor([[1.0], [2.0]], requires_grad=True)
    two_processes(monkeypatch, 1, [[3], [[7.0], [8.0], [9.0]]])
    rows = over_processes.gather_rows(own)
    assert rows.flatten().tolist() == [7, 8, 9, 1, 2]
    loss = over_processes.of_own_rows(rows.square().sum())
    assert loss.item() == 199
    loss.backward()
    assert own.grad.flatten().tolist() == [4, 8]  # twice, as the mean over two halves it
