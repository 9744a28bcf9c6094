"""Losses against numbers worked out by hand."""

import math

import pytest
import torch

from mmcico.models import ClipDiceLoss, ClipSegLoss, HardNegativeCrossEntropy, PairTrackLoss
from mmcico.models.losses.clip_seg_loss import (
    at_map_size,
    boxed_bce,
    frame_weights,
    sample_positives,
)
from mmcico.models.losses.head_losses import pair_loss

LOG2 = math.log(2)


def test_frame_weights():
    query = torch.tensor([0, 1])
    assert frame_weights(query, 3, 1.0).tolist() == [pytest.approx([1 / 3] * 3)] * 2
    weights = frame_weights(query, 3, 0.5)
    assert weights[0].tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert weights[1].tolist() == pytest.approx([1 / 4, 1 / 2, 1 / 4])


def test_no_decay_means_the_query_frame_alone():
    weights = frame_weights(torch.tensor([2]), 3, 0.0)
    assert weights.tolist() == [[0, 0, 1]]


def test_boxed_bce_is_the_mean_inside_the_box():
    logits = torch.zeros(1, 2, 6, 6)
    targets = torch.zeros(1, 2, 6, 6)
    logits[0, 1] = 50.0  # surely wrong in the second frame, everywhere
    box = torch.tensor([[2.0, 2.0, 3.0, 3.0]])  # 3 x 3 pixels with the margin
    loss = boxed_bce(logits, targets, box)
    assert loss[0].tolist() == pytest.approx([LOG2, 50])
    logits[0, :, 5, 5] = 1e4  # outside
    assert torch.equal(loss, boxed_bce(logits, targets, box))


def test_clip_seg_loss_means_frames_then_positives():
    logits = torch.zeros(2, 2, 4, 4)
    logits[1, 1] = 10.0
    targets = torch.ones(2, 2, 4, 4)
    box = torch.tensor([[0.0, 0, 4, 4]] * 2)
    query = torch.zeros(2, dtype=torch.long)
    loss = ClipSegLoss(loss_weight=2.0)(logits, targets, box, query)
    assert loss.item() == pytest.approx(2 * (LOG2 + LOG2 / 2) / 2, rel=1e-4)
    alone = ClipSegLoss(decay=0, loss_weight=1)(logits, targets, box, query)
    assert alone.item() == pytest.approx(LOG2)


@pytest.mark.parametrize('loss', [ClipSegLoss(), ClipDiceLoss()])
def test_mask_losses_without_positives_keep_a_graph(loss):
    logits = torch.zeros(0, 3, 4, 4, requires_grad=True)
    value = loss(logits, logits.detach(), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    value.backward()
    assert value.item() == 0


def test_dice_of_a_perfect_and_an_empty_mask():
    box = torch.tensor([[0.0, 0, 4, 4]])
    query = torch.zeros(1, dtype=torch.long)
    target = torch.zeros(1, 1, 4, 4)
    target[..., :2] = 1
    sure = (target - 0.5) * 200
    loss = ClipDiceLoss()
    assert loss(sure, target, box, query).item() == pytest.approx(0, abs=1e-5)
    # nothing drawn: 1 - (0 + 1) / (8 + 1)
    empty = torch.full_like(sure, -100.0)
    assert loss(empty, target, box, query).item() == pytest.approx(8 / 9)


def test_pair_loss_by_hand():
    embeds = torch.tensor([[1.0, 0], [0.0, 1], [-1, 0]])
    ids = torch.tensor([1, 1, 2])
    # d: 1 on the diagonal, 1/2 for (0,1), 0 for (0,2), 1/2 for (1,2)
    expected = (0 + 2 * LOG2 + 0 + 2 * LOG2) / 9
    assert pair_loss(embeds, ids).item() == pytest.approx(expected, abs=1e-5)


def test_pairs_are_made_within_videos_only():
    embeds = torch.tensor([[1.0, 0], [0.0, 1], [1.0, 0], [1.0, 0]])
    ids = torch.tensor([1, 2, 1, 1])
    videos = torch.tensor([7, 7, 8, 8])
    loss = PairTrackLoss(loss_weight=2)(embeds, ids, videos)
    # video 7: two pairs at d = 1/2 of four; video 8: all equal, one object
    assert loss.item() == pytest.approx(2 * (2 * LOG2 / 4 + 0) / 2, abs=1e-5)


def test_track_loss_without_positives_keeps_a_graph():
    embeds = torch.zeros(0, 4, requires_grad=True)
    none = torch.zeros(0, dtype=torch.long)
    loss = PairTrackLoss()(embeds, none, none)
    loss.backward()
    assert loss.item() == 0


def test_hard_negatives_three_to_one():
    # class 0 and background; one positive, five negatives of falling loss
    wrong = torch.tensor([4.0, 3, 2, 1, 0])
    pred = torch.zeros(6, 2)
    pred[1:, 0] = wrong
    target = torch.tensor([0, 1, 1, 1, 1, 1])
    loss = HardNegativeCrossEntropy()(pred, target, torch.ones(6), None)
    expected = LOG2 + sum(math.log(1 + math.exp(x)) for x in (4, 3, 2))
    assert loss.item() == pytest.approx(expected / 4)


def test_ignored_rows_do_not_count():
    pred = torch.tensor([[0.0, 0], [9.0, 0], [0.0, 0]])
    target = torch.tensor([0, 1, 1])
    weight = torch.tensor([1.0, 0, 1])
    loss = HardNegativeCrossEntropy()(pred, target, weight, None)
    assert loss.item() == pytest.approx(LOG2)


def test_negatives_alone_are_still_learned_from():
    pred = torch.zeros(10, 3, requires_grad=True)
    target = torch.full((10,), 2)
    loss = HardNegativeCrossEntropy(min_negatives=4)(pred, target, torch.ones(10), None)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(3))
    assert (pred.grad.abs().sum(1) > 0).sum() == 4


def test_losses_stand_half_precision():
    embeds = torch.tensor([[1.0, 0], [1.0, 1e-4]])
    embeds = torch.nn.functional.normalize(embeds, dim=1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = PairTrackLoss()(embeds, torch.tensor([1, 2]), torch.tensor([1, 1]))
        big = torch.full((1, 1, 200, 200), -5.0)
        masks = boxed_bce(big, torch.ones_like(big), torch.tensor([[0.0, 0, 200, 200]]))
    assert torch.isfinite(loss)
    assert masks.item() == pytest.approx(5.0067, rel=1e-4)


def test_mask_targets_are_covered_shares():
    masks = torch.zeros(1, 2, 4, 6, dtype=torch.uint8)
    masks[0, 0, 0, 0] = 1  # a quarter of one map pixel of 2 x 2
    masks[0, 1, 1:3, 3:5] = 1  # a quarter of each of four
    found = at_map_size(masks, (2, 3))
    assert found[0, 0].tolist() == [[0.25, 0, 0], [0, 0, 0]]
    assert found[0, 1].tolist() == [[0, 0.25, 0.25], [0, 0.25, 0.25]]
    assert at_map_size(masks[:0], (2, 3)).shape == (0, 2, 2, 3)


def test_few_positives_of_each_clip_are_chosen():
    clip = torch.tensor([0, 0, 0, 1, 2, 2])
    kept = sample_positives(clip, 2)
    assert clip[kept].tolist() == [0, 0, 1, 2, 2] and kept.tolist() == sorted(kept.tolist())
    assert sample_positives(clip, 3).tolist() == list(range(6))
