"""Rules of the published models, each on numbers that were worked out by hand."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmcico.evaluation.video_results import VideoResults
from mmcico.models import ClipMaskHead, PublishedClipTracker, UnclampedBoxCoder
from mmcico.structures.clip_masks import to_original
from mmcico.structures.track_state import TrackState

PRESETS = Path(__file__).parents[2] / 'configs/published'


def instance(masks, boxes, embed=(1.0, 0.0)):
    """One instance: masks (T, h, w), boxes (T, 4)."""
    boxes = torch.tensor(boxes, dtype=torch.float)
    low, high = boxes[:, :2].amin(0), boxes[:, 2:].amax(0)
    return InstanceData(
        metainfo=dict(input_shape=(40, 40)),
        bboxes=boxes[None],
        circumscribed=torch.cat([low, high])[None],
        masks=masks[None].float(),
        mask_params=torch.zeros(1, 1),
        embeds=torch.tensor([embed]),
        labels=torch.zeros(1, dtype=torch.long),
        scores=torch.full((1,), 0.5),
    )


def columns(*ends):
    """Masks of 10 x 10, one a frame, of this many columns."""
    masks = torch.zeros(len(ends), 10, 10)
    for mask, end in zip(masks, ends):
        mask[:, :end] = 1
    return masks


def scores_of(tracker, *args):
    """What a tracker compares: matching scores of its second clip."""
    kept = {}

    def remember(found, tracks, masks, boxes, factor, shape):
        kept.update(masks=masks, boxes=boxes, factor=factor)
        kept['scores'] = type(tracker)._scores(tracker, found, tracks, masks, boxes, factor, shape)
        return kept['scores']

    tracker._scores = remember
    tracker.step(*args)
    return kept


def still(params, boxes, crops):
    return torch.zeros(len(params), 3, 10, 10)


def test_all_pairs_of_equal_frames_count_in_linking():
    tracker = PublishedClipTracker()
    box = [0, 0, 40, 40]
    first = instance(columns(2, 4, 8), [box] * 3)
    state, _ = tracker.step(TrackState(), first, (3, 4, 4), still)
    # the clip 4, 4, 5: (0, 1), (0, 2), (1, 1), (1, 2) are equal frames
    second = instance(columns(4, 8, 1), [box] * 3)
    found = scores_of(tracker, state, second, (4, 4, 5), still)
    assert found['masks'].item() == pytest.approx((1 + 0.5 + 0.5 + 1) / 4)
    assert found['boxes'].item() == pytest.approx(1) and found['factor'] == 2


@pytest.mark.parametrize('scale, credit', [(1.0, 0.3), (0.8, 0.15)])
def test_small_is_mean_width_times_mean_height(scale, credit):
    # 4 x 24 and 24 x 4 of 40 x 40: 14 x 14 are 0.1225, each box alone is 0.06
    boxes = (torch.tensor([[0.0, 0, 4, 24], [0, 0, 24, 4]]) * scale).tolist()
    tracker, clip = PublishedClipTracker(), instance(columns(4, 4), boxes)
    state, _ = tracker.step(TrackState(), clip, (0, 1), None)
    found = scores_of(tracker, state, clip, (2, 3), lambda *_, crops: columns(1, 1)[None])
    assert found['scores'][0, 1].item() == pytest.approx(0.5 + 0.1 * 0.5 + credit + 0.3)


def test_redrawn_masks_have_the_place_of_the_box_and_the_crop_of_the_scaled_one():
    head = ClipMaskHead(
        in_channels=8,
        feat_channels=8,
        generator=dict(
            type='mmcico.DynamicMask',
            num_protos=1,
            channels=1,
            coordinates=dict(type='mmcico.GaussianPlane'),
        ),
    )
    # w1 = (1, 0), w2 = 1, w3 = 1, no biases: the logit is the location plane itself
    params = torch.tensor([[1.0, 0, 1, 1, 0, 0, 0]])
    box, crop = torch.tensor([[16.0, 16, 32, 32]]), torch.tensor([[8.0, 8, 40, 40]])
    masks = head.redraw(torch.zeros(1, 1, 12, 12), params, box, (48, 48), crop)
    # map pixels: centre (6, 6), sigma 1.5 * 4; row 6, column 8
    expected = 1 / (1 + math.exp(-math.exp(-((2 / 6) ** 2) / 2)))
    assert masks[0, 0, 6, 8].item() == pytest.approx(expected)
    # crop 2 to 10, one pixel more on each side
    assert (masks[0, 0, 6] > 0).nonzero()[:, 0].tolist() == list(range(1, 11))

    asked = {}
    tracks = instance(columns(4, 4), [[10, 10, 20, 20]] * 2)
    tracker = PublishedClipTracker()
    state, _ = tracker.step(TrackState(), tracks, (0, 1), None)

    def draw(params, boxes, crops):
        asked.update(boxes=boxes.tolist(), crops=crops.tolist())
        return columns(4, 4)[None]

    tracker.step(state, tracks, (2, 3), draw)
    assert asked == dict(boxes=[[10, 10, 20, 20]], crops=[[9, 9, 21, 21]])


@pytest.mark.parametrize('lowest, label', [(True, 1), (False, 4)])
def test_of_equally_frequent_classes_the_lowest(lowest, label):
    video = VideoResults('a', 1)
    video.lowest_of_ties = lowest
    video.add_frame(0, (2, 2), [7], [b'04'])
    video.add_votes([7, 7, 7, 7, 7], [0.9, 0.8, 0.2, 0.1, 1.0], [4, 4, 1, 1, 2])
    assert [track[:2] for track in video.tracks(5)] == [(7, label)]


def test_decoded_sizes_have_no_limit():
    anchors = torch.tensor([[0.0, 0, 10, 10]])
    deltas = torch.tensor([[0.0, 0, 25, 30]])
    box = UnclampedBoxCoder(target_stds=(0.1, 0.1, 0.2, 0.2)).decode(anchors, deltas)
    sides = (box[0, 2:] - box[0, :2]).tolist()
    assert sides == pytest.approx([10 * math.exp(5), 10 * math.exp(6)], rel=1e-5)


def test_masks_are_cropped_to_whole_map_pixels_before_they_are_enlarged():
    # input 16 x 32, of which 16 x 31 show the frame: 4 x 7.75 map pixels, cut to 4 x 7
    probs = torch.zeros(1, 4, 8)
    probs[:, :, 6:] = 1
    masks = to_original(probs, (16, 32), (16, 31), (8, 14), crop_first=True)
    # enlarged twice: column 11 is at 5.25, a quarter of the way from 0 to 1, column 12 at 5.75
    assert masks[0, 0].tolist() == [False] * 12 + [True] * 2
    # by the exact factor 14 / 7.75, column 11 is at 5.87
    masks = to_original(probs, (16, 32), (16, 31), (8, 14))
    assert masks[0, 0].tolist() == [False] * 11 + [True] * 3


@pytest.mark.parametrize('path', sorted(PRESETS.glob('*.py')), ids=lambda path: path.stem)
def test_settings_of_the_presets(path):
    model = Config.fromfile(path).model
    softmax = 'ovis' in path.name
    loss = model.bbox_head.losses.loss_cls.type
    assert loss == ('mmcico.HardNegativeCrossEntropy' if softmax else 'FocalLoss')
    narrow = 'condinst_swin' in path.name
    widths = (model.neck.out_channels, model.bbox_head.in_channels, model.mask_head.in_channels)
    assert widths == (192 if narrow else 256,) * 3
    assert model.test_cfg.mask_resize == 'crop_first' and model.test_cfg.class_ties == 'lowest'
    assert model.bbox_head.bbox_coder.type == 'mmcico.UnclampedBoxCoder'
