"""Selection of instances on cases that fit on paper."""

import pytest
import torch
from mmengine.structures import InstanceData

from mmcico.models import ClipNMS, PublishedClipNMS
from mmcico.models.task_modules.clip_nms import all_boxes
from mmcico.structures.clip_boxes import circumscribed_boxes, covered_by_better
from mmcico.structures.clip_masks import FlatMasks

SIZE = (64, 64)


def rows(places, scores, weights=None):
    """Rows on a 16 x 16 map of 64 x 64 pixels: squares of 16 pixels.

    Args:
        places: Left and top pixel of each row's square, the same in two
            frames.
        scores: Class scores of each row.
        weights: Rank weights, ones when left out.
    """
    num = len(places)
    boxes = torch.zeros(num, 2, 4)
    masks = torch.zeros(num, 2, 16, 16)
    for n, (x, y) in enumerate(places):
        boxes[n] = torch.tensor([x, y, x + 16.0, y + 16.0])
        masks[n, :, y // 4 : y // 4 + 4, x // 4 : x // 4 + 4] = 1
    return InstanceData(
        bboxes=boxes,
        circumscribed=circumscribed_boxes(boxes),
        masks=masks,
        class_scores=torch.tensor(scores).view(num, -1),
        rank_weight=torch.tensor(weights or [1.0] * num),
        index=torch.arange(num),
    )


def test_covered_rows_cover_others():
    overlap = torch.tensor([[1, 0.6, 0.1], [0.6, 1, 0.6], [0.1, 0.6, 1]])
    assert covered_by_better(overlap, 0.5).tolist() == [False, True, True]


def test_select_keeps_the_best_rows():
    scores = torch.tensor([[[0.05, 0.2], [0.09, 0.01]], [[0.3, 0.1], [0.11, 0]]])
    query, prior = ClipNMS(score_thr=0.1).select(scores, 2)
    assert (query.tolist(), prior.tolist()) == ([0, 1, 1], [0, 0, 1])
    query, prior = ClipNMS(max_per_frame=1).select(scores, 2)
    assert (query.tolist(), prior.tolist()) == ([1, 0], [0, 0])


def test_twins_and_boxes_outside_are_dropped():
    clip = rows([(8, 8), (40, 40), (9, 8), (60, 8)], [[0.5], [0.6], [0.9], [0.7]])
    kept = ClipNMS(box_thr=0.8).box_nms(clip, SIZE)
    # 8 and 9 share 15 of 17 columns; at 60 the centre is outside
    assert kept.index.tolist() == [2, 1]


@pytest.mark.parametrize('frames_inside, kept', [(1, []), (2, [0])])
def test_centres_must_be_inside_in_half_of_the_frames(frames_inside, kept):
    clip = rows([(8, 8)], [[0.5]])
    boxes = clip.bboxes.repeat(1, 2, 1)
    boxes[:, frames_inside:] += 60
    masks = clip.masks.repeat(1, 2, 1, 1)
    clip = InstanceData(**{**clip, 'bboxes': boxes, 'masks': masks})
    assert ClipNMS().box_nms(clip, SIZE).index.tolist() == kept


def test_rank_weight_decides_the_order():
    clip = rows([(8, 8), (40, 40)], [[0.5], [0.6]], [1.0, 0.5])
    assert ClipNMS().box_nms(clip, SIZE).index.tolist() == [0, 1]


def test_duplicates_of_a_class_go_and_other_classes_stay():
    clip = rows([(8, 8), (12, 8), (40, 40)], [[0.9, 0.0], [0.8, 0.7], [0.0, 0.6]])
    kept = ClipNMS().mask_nms(clip, SIZE)
    # 12 of 20 columns: overlap .6 in boxes and masks
    assert kept.scores.tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert kept.labels.tolist() == [0, 1, 1]
    assert kept.index.tolist() == [0, 1, 2]


def test_output_does_not_depend_on_the_order_of_rows():
    clip = rows([(8, 8), (12, 8), (40, 40)], [[0.9, 0.0], [0.8, 0.7], [0.0, 0.6]])
    kept = ClipNMS().mask_nms(clip[torch.tensor([2, 0, 1])], SIZE)
    assert kept.index.tolist() == [0, 1, 2]


def test_empty_masks_do_not_survive():
    clip = rows([(8, 8), (40, 40)], [[0.9], [0.8]])
    clip.masks[0] = 0
    clip.masks[0, 1, 0, :5] = 1  # five pixels are not enough
    assert ClipNMS().mask_nms(clip, SIZE).index.tolist() == [1]


def test_a_mask_may_be_large_in_one_frame_and_fill_its_box_in_another():
    clip = rows([(8, 8)], [[0.9]])
    clip.bboxes[0, 0] = torch.tensor([0.0, 0, 64, 64])  # 16 of 256 map pixels
    clip.masks[0, 1] = 0
    clip.masks[0, 1, 2:4, 2:4] = 1  # 4 pixels of 16
    assert ClipNMS().mask_nms(clip, SIZE).index.tolist() == [0]
    clip.bboxes[0, 1] = torch.tensor([0.0, 0, 64, 64])
    assert ClipNMS().mask_nms(clip, SIZE).index.tolist() == []


def test_no_rows_at_all():
    clip = rows([(8, 8)], [[0.9, 0.1]])[torch.zeros(0, dtype=torch.long)]
    nms = ClipNMS()
    assert len(nms.mask_nms(nms.box_nms(clip, SIZE), SIZE)) == 0


def mask_overlap(masks):
    """Of masks that are seen with more than five pixels, and boxes far from each other."""
    boxes = 100.0 * torch.arange(len(masks))[:, None] + torch.arange(4)
    return ClipNMS().overlap(FlatMasks.of(masks), boxes.expand(3, -1, -1))[0] / 0.5


def test_mask_overlap_counts_frames_both_show():
    masks = rows([(8, 8), (12, 8)], [[1.0], [1.0]]).masks > 0.5
    assert mask_overlap(masks)[0, 1].item() == pytest.approx(0.6)
    masks[1, 0] = False  # one frame less to compare, the same mean
    assert mask_overlap(masks)[0, 1].item() == pytest.approx(0.6)
    masks[:, 1] = False
    masks[:, 1, 0, :5] = True  # equal, but too few pixels to say so
    assert mask_overlap(masks)[0, 1].item() == 0
    masks[:, 1, 0, :6] = True  # equal in one frame: surely one object
    assert mask_overlap(masks)[0, 1].item() == 1


@pytest.mark.parametrize('min_share, kept', [(0.24, [0]), (0.25, [])])
def test_share_of_the_box_that_a_mask_covers(min_share, kept):
    clip = rows([(8, 8)], [[1.0]])
    clip.bboxes = clip.bboxes * 2
    assert ClipNMS(min_share=min_share).mask_nms(clip, SIZE).index.tolist() == kept


@pytest.mark.parametrize('nms', [ClipNMS(), PublishedClipNMS()])
def test_boxes_count_in_frames_both_show(nms):
    """As masks do: where one of them is hidden, a box says little."""
    masks = torch.zeros(2, 3, 10, 10)
    masks[0, :, :, :8] = 1
    masks[1, :2, :, 4:] = 1  # IoU 0.4 where it shows, hidden in frame 2
    boxes = torch.tensor([[0.0, 0, 40, 40]]).expand(2, 3, 4).clone()
    boxes[1, 2] += 40
    clip = InstanceData(
        bboxes=boxes, circumscribed=torch.tensor([[0.0, 0, 40, 40], [0, 0, 80, 80]])
    )
    frames, around = nms.overlap(FlatMasks.of(masks > 0.5), all_boxes(clip))
    assert frames[0, 1].item() == pytest.approx(0.25 * 1 + 0.5 * 0.4)
    assert around[0, 1].item() == pytest.approx(0.25 * 0.25)
    masks[1] = 0  # never seen together
    assert nms.overlap(FlatMasks.of(masks > 0.5), all_boxes(clip))[0][0, 1] == 0
