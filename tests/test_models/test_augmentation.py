"""Test-time augmentation, with numbers made by hand and as a whole."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmcico.models.vis.augmentation import View, ViewedClips, make_views
from mmcico.models.vis.clip_network import VideoState
from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg

SIZE = (64, 96)
VIEWS = dict(flip=True, scales=[1, 1.4])


def build(kind='yolact', tracker='EvidenceTracker', **test_cfg):
    """A model that finds something everywhere."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = small_model_cfg(kind)
    cfg['tracker'] = dict(type=f'mmcico.{tracker}')
    nms = dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=12)
    model = MODELS.build(dict(cfg, test_cfg=dict(nms=nms, **test_cfg))).eval()
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    return model


def run(model, video):
    """The linked clips of a video of five frames."""
    state, clips = VideoState(), []
    for frames, num_final in (((0, 1, 2), 2), ((2, 3, 4), 3)):
        state, clip = model.step(state, video[list(frames)], frames, num_final)
        clips.append(clip)
    return clips


def video():
    return torch.randn(5, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def instances(scores, masks, labels):
    """Instances of one frame of 1 x 4 map pixels (4 x 16 of the input), with one mask parameter."""
    scores = torch.tensor(scores)
    masks = torch.tensor(masks).view(-1, 1, 1, 4)
    boxes = torch.tensor([[0.0, 0, 8, 4]]).repeat(len(scores), 1)
    return InstanceData(
        scores=scores,
        class_scores=scores[:, None].repeat(1, 2),
        labels=torch.tensor(labels),
        rank_weight=torch.ones(len(scores)),
        bboxes=boxes[:, None],
        circumscribed=boxes,
        masks=masks,
        embeds=torch.tensor([[1.0, 0]]).repeat(len(scores), 1),
        mask_params=scores[:, None] * 10,
    )


def test_views_and_their_order():
    assert make_views() == (View(1, False), View(1, True))
    assert make_views(False, (1.5, 1)) == (View(1, False), View(1.5, False))
    assert make_views(negated=[1]) == (View(1, False, (1,)), View(1, True, (1,)))
    assert len(make_views(True, (0.5, 2))) == 6
    with pytest.raises(ValueError, match='factors must be above 0'):
        make_views(scales=(1, 0))


def test_sizes_and_boxes_of_a_view():
    view = View(1.3, True)
    assert view.size((96, 160)) == (128, 192)  # 124.8 and 208 (6.5 times 32)
    box = torch.tensor([10.0, 20, 30, 40])
    seen = view.boxes(box, (100, 200), (50, 400))
    assert seen.tolist() == [340, 10, 380, 20]
    assert view.boxes(seen, (50, 400), (100, 200)).tolist() == box.tolist()


def test_motion_to_the_right_is_negated_in_a_mirror():
    frames = torch.arange(12.0).view(1, 3, 1, 4)
    mirrored = frames.flip(-1) * torch.tensor([1.0, -1, 1])[:, None, None]
    assert torch.equal(View(1, True, (1,)).frames(frames, (1, 4)), mirrored)
    assert torch.equal(View(1, True).frames(frames, (1, 4)), frames.flip(-1))
    assert torch.equal(View(1, False, (1,)).frames(frames, (1, 4)), frames)


def test_averages_by_hand():
    here = instances([0.8, 0.6], [[1.0, 1, 0, 0], [0, 0, 0, 1.0]], [0, 1])
    there = instances([0.6, 0.5], [[0.6, 0.8, 0.2, 0], [0, 0, 0, 1.0]], [0, 0])
    there.bboxes[0, 0, 2] = 12
    found = ViewedClips(make_views()).average([here, there])
    # the first ones are one instance; of the others, the classes differ
    assert found.scores.tolist() == pytest.approx([0.7, 0.3, 0.25])
    assert found.class_scores[:, 0].tolist() == pytest.approx([0.7, 0.3, 0.25])
    assert found.labels.tolist() == [0, 1, 0]
    assert found.masks[0].flatten().tolist() == pytest.approx([0.8, 0.9, 0.1, 0])
    assert found.masks[1].flatten().tolist() == [0, 0, 0, 1]
    assert found.bboxes[0, 0].tolist() == [0, 0, 10, 4]
    params = found.mask_params[..., 0].nan_to_num(-1).tolist()
    assert params == [[8, 6], [6, -1], [-1, 5]]


def test_masks_that_overlap_by_half_are_two_instances():
    here, there = (instances([0.8], [mask], [0]) for mask in ([1.0, 1, 0, 0], [1.0, 1, 1, 1]))
    assert len(ViewedClips(make_views()).average([here, there])) == 2
    assert len(ViewedClips(make_views(), 0.4).average([here, there])) == 1


def test_nothing_found_in_some_views_or_in_all():
    here, none = (
        instances([0.8], [[1.0, 0, 0, 0]], [0]),
        instances([0.8], [[1.0, 0, 0, 0]], [0])[:0],
    )
    average = ViewedClips(make_views()).average
    assert average([here, none]).scores.tolist() == pytest.approx([0.4])
    assert average([none, here]).scores.tolist() == pytest.approx([0.4])
    assert len(average([none, none])) == 0


@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
@pytest.mark.parametrize('tracker', ['ClipTracker', 'EvidenceTracker', 'PublishedClipTracker'])
def test_the_average_of_equal_views_is_one_of_them(kind, tracker):
    model = build(kind, tracker)
    plain = run(model, video())
    model.viewed = ViewedClips([View(1, False)] * 3)
    averaged = run(model, video())
    assert len(plain[1]) > 1
    for one, other in zip(plain, averaged):
        assert one.instances_id.tolist() == other.instances_id.tolist()
        for key in ('scores', 'bboxes', 'masks', 'embeds'):
            assert torch.allclose(one[key], other[key], atol=1e-4), key


@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_masks_of_other_sizes_lie_where_those_of_the_input_do(kind):
    (clip, _), (plain, _) = (run(build(kind, tta=tta), video()) for tta in (VIEWS, None))
    assert clip.masks.shape[1:] == plain.masks.shape[1:]
    seen = clip.masks > 0.5
    centre = (clip.bboxes[..., :2] + clip.bboxes[..., 2:]) / 8  # in map pixels
    inside = [
        bool(mask[max(int(y) - 2, 0) : int(y) + 3, max(int(x) - 2, 0) : int(x) + 3].any())
        for masks, centres in zip(seen, centre.tolist())
        for mask, (x, y) in zip(masks, centres)
        if mask.any()
    ]
    assert len(inside) > 3 and sum(inside) > 0.8 * len(inside)


@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_a_flipped_video_has_flipped_results(kind):
    model = build(kind, tta=dict())
    for one, other in zip(run(model, video()), run(model, video().flip(-1))):
        assert len(one) > 1
        assert torch.allclose(one.scores, other.scores, atol=1e-4)
        assert torch.allclose(one.masks, other.masks.flip(-1), atol=1e-3)
        assert torch.allclose(one.bboxes[..., 0], SIZE[1] - other.bboxes[..., 2], atol=1e-2)
        assert one.instances_id.tolist() == other.instances_id.tolist()
    one, other = (run(build(kind), each)[0].masks for each in (video(), video().flip(-1)))
    assert one.shape != other.shape or not torch.allclose(one, other.flip(-1), atol=1e-3)
