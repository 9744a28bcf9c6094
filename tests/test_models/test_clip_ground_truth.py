"""Alignment of annotations by object id."""

import torch
from mmengine.structures import InstanceData

from mmcico.models.vis.data_samples import align_clip
from mmcico.testing import clip_sample, square

CPU = torch.device('cpu')


def test_rows_follow_ids_not_positions():
    clip = align_clip(clip_sample([[2, 0], [0], [0, 5]]), (96, 160), CPU)
    gt = clip.instances
    assert gt.instances_id.tolist() == [2, 0, 5]
    assert gt.labels.tolist() == [2, 0, 1]
    assert gt.visible.tolist() == [[True, False, False], [True] * 3, [False, False, True]]
    assert gt.bboxes[1, 2].tolist() == list(square(0, 2))


def test_hidden_frames_take_the_nearest_box_and_an_empty_mask():
    gt = align_clip(clip_sample([[2, 0], [0], [0, 5]]), (96, 160), CPU).instances
    assert gt.bboxes[0].tolist() == [list(square(2, 0))] * 3
    assert gt.masks[0].flatten(1).sum(1).tolist() == [28 * 32, 0, 0]


def test_masks_are_padded_right_and_below():
    sample = clip_sample([[0]], size=(90, 150))
    gt = align_clip(sample, (96, 160), CPU).instances
    x1, y1, x2, y2 = square(0, 0)
    assert gt.masks.shape == (1, 1, 96, 160)
    assert gt.masks[0, 0, y1:y2, x1:x2].all()
    assert gt.masks.sum() == 28 * 32


def test_an_object_without_pixels_is_left_out():
    sample = clip_sample([[0, 1], [1]])
    sample[0].gt_instances.masks.masks[0] = 0
    gt = align_clip(sample, (96, 160), CPU).instances
    assert gt.instances_id.tolist() == [1]


def test_clip_without_objects():
    clip = align_clip(clip_sample([[], [], []]), (96, 160), CPU)
    assert len(clip.instances) == 0
    assert clip.instances.bboxes.shape == (0, 3, 4)


def test_crowds_are_kept_by_frame():
    sample = clip_sample([[0], [0]])
    sample[1].ignored_instances = InstanceData(bboxes=torch.tensor([[1.0, 2, 3, 4]]))
    clip = align_clip(sample, (96, 160), CPU)
    assert clip.crowds[0].shape == (0, 4)
    assert clip.crowds[1].tolist() == [[1, 2, 3, 4]]
