"""Objects of one clip pasted into another one: pixels, masks, boxes and ids."""

import random

import numpy as np
import pytest
from mmdet.structures.mask import BitmapMasks

from mmcico.datasets.transforms.copy_paste import ClipCopyPaste, moved, pasted_id
from mmcico.visualization.draw import track_colour

HEIGHT, WIDTH = 6, 8


def clip(colour, squares, video_id=7):
    """Return a clip of frames of one colour; each square is (id, label, top, left, side)."""
    frames = []
    for objects in squares:
        masks = np.zeros((len(objects), HEIGHT, WIDTH), np.uint8)
        for mask, (_, _, top, left, side) in zip(masks, objects):
            mask[top : top + side, left : left + side] = 1
        frames.append(
            dict(
                img=np.full((HEIGHT, WIDTH, 3), colour, np.uint8),
                gt_masks=BitmapMasks(masks, HEIGHT, WIDTH),
                gt_bboxes=np.array(
                    [[x, y, x + side, y + side] for _, _, y, x, side in objects], np.float32
                ).reshape(-1, 4),
                gt_bboxes_labels=np.array([each[1] for each in objects], np.int64),
                gt_instances_ids=np.array([each[0] for each in objects], np.int64),
                gt_ignore_flags=np.zeros(len(objects), bool),
                source='train.json',
                video_id=video_id,
            )
        )
    return {key: [frame[key] for frame in frames] for key in frames[0]}


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the place of the pasted object's centre: y, x."""

    def place(*centre):
        values = iter(centre)
        monkeypatch.setattr(random, 'uniform', lambda low, high: next(values))

    return place


def paste(target, other):
    return ClipCopyPaste(prob=1, max_objects=1).transform(dict(target, mix_results=[other]))


def test_an_object_moves_on_with_a_new_id_and_covers_what_is_below(at):
    below = clip(10, [[(0, 2, 1, 1, 3)], [(0, 2, 1, 1, 3)]])
    other = clip(99, [[(7, 1, 0, 0, 2)], [(7, 1, 0, 1, 2)]])
    at(2.0, 4.0)  # the centre goes from (1, 1) to (2, 4): one row down, three columns right
    out = paste(below, other)
    assert 'mix_results' not in out
    for t, left in enumerate((3, 4)):
        assert out['gt_bboxes'][t][1].tolist() == [left, 1, left + 2, 3]
        assert out['gt_instances_ids'][t].tolist() == [0, pasted_id(other, 7)]
        assert out['gt_bboxes_labels'][t].tolist() == [2, 1]
        first, second = out['gt_masks'][t].masks.astype(bool)
        assert (out['img'][t][second] == 99).all() and (out['img'][t][~second] == 10).all()
        assert not (first & second).any()
    # the square has columns 1 to 3 and lost two pixels of column 3, so that its box stays
    assert out['gt_masks'][0].masks[0].sum() == 7
    assert out['gt_bboxes'][0][0].tolist() == [1, 1, 4, 4]
    assert out['gt_masks'][1].masks[0].sum() == 9


def test_a_box_shrinks_with_its_mask_and_a_hidden_object_leaves_the_frame(at):
    below = clip(10, [[(3, 0, 0, 0, 2), (5, 0, 2, 2, 3)]])
    other = clip(99, [[(0, 1, 0, 0, 4)]])
    at(2.0, 2.0)  # stays where it is: rows and columns 0 to 3
    out = paste(below, other)
    assert out['gt_instances_ids'][0].tolist() == [5, pasted_id(other, 0)]
    assert out['gt_masks'][0].masks[0].sum() == 9 - 4
    assert out['gt_bboxes'][0].tolist() == [[2, 2, 5, 5], [0, 0, 4, 4]]
    assert len(out['gt_ignore_flags'][0]) == 2 and out['gt_bboxes'][0].dtype == np.float32


def test_a_pasted_object_has_one_id_in_all_clips_and_no_other_object_has_it(at):
    """Losses compare the objects of all clips of a video."""
    target = clip(10, [[(0, 2, 4, 4, 1)]])
    new = []
    for key, video in ((0, 7), (1, 7), (0, '7'), (0, 7)):
        other = clip(99, [[(key, 1, 0, 0, 4)]], video)
        at(2.0, 2.0)
        out = paste(target, other)
        new.append(out['gt_instances_ids'][0].tolist()[-1])
        # a second step does not paste it again
        assert paste(out, other)['gt_instances_ids'][0].tolist() == [0, new[-1]]
    assert len({*new}) == 3 and new[0] == new[3]
    assert min(new) > 2**32
    assert len({*map(track_colour, new)}) == 3


def test_what_leaves_the_frame_is_cut_off(at):
    at(0.0, 8.0)
    out = paste(clip(10, [[(0, 0, 4, 0, 1)]]), clip(99, [[(0, 1, 2, 2, 2)]]))
    assert out['gt_bboxes'][0][1].tolist() == [7, 0, 8, 1]
    assert moved(np.ones((2, 2), bool), (-5, 0), (4, 4)).sum() == 0


def test_share_of_clips_and_crowds():
    other = clip(99, [[(0, 1, 0, 0, 2)]])
    target = clip(10, [[(0, 0, 4, 4, 1)]])
    assert ClipCopyPaste(prob=0).get_indexes([other]) == []
    assert ClipCopyPaste(prob=1).get_indexes([other]) == [0]
    step = ClipCopyPaste(prob=0.25)
    # the standard deviation of the number is 8.7
    chosen = [step.get_indexes([other] * 7) for _ in range(400)]
    assert 60 < sum(map(len, chosen)) < 140
    assert {index for each in chosen for index in each} == set(range(7))
    # a clip that gets nothing needs no other clip
    assert len(step.transform(dict(target, mix_results=[]))['gt_instances_ids'][0]) == 1
    other['gt_ignore_flags'][0][:] = True  # nothing but a crowd
    assert len(paste(target, other)['gt_instances_ids'][0]) == 1


def test_mistakes():
    with pytest.raises(ValueError, match='no second clip.*MultiImageMixDataset'):
        ClipCopyPaste().transform(clip(10, [[]]))
    with pytest.raises(ValueError, match=r'prob 2 must be in \[0, 1\]'):
        ClipCopyPaste(prob=2)
