"""Detections that are spoilt exactly as much as they are told to be."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from noisy_clips import DetectionNoise, detect_clips, identities, last_masks, mask_boxes, vanish

from mmcico.datasets.clip_windows import clip_windows
from mmcico.datasets.moving_shapes import Track

CLEAN = DetectionNoise(
    miss=0,
    miss_hidden=0,
    false=0,
    jitter=0,
    shift=0,
    swell=0,
    wrong_class=0,
    vanish=0,
    embed_noise=0,
    drift=0,
)
WINDOWS = clip_windows(9, 3, 1)


def rng():
    return np.random.default_rng(3)


def square_track(label=1, length=9, absent=()):
    masks = np.zeros((length, 32, 48), bool)
    for t in range(length):
        masks[t, 4:20, 2 + 3 * t : 14 + 3 * t] = t not in absent
    hidden = np.array([np.nan if t in absent else 0.0 for t in range(length)])
    return Track(label, masks, hidden)


def test_without_noise_detections_are_the_truth():
    tracks = [square_track(0), square_track(2, absent=(0, 1, 2, 3))]
    clips = detect_clips(rng(), tracks, WINDOWS, 4, CLEAN)
    assert [len(clip) for clip in clips] == [1, 2, 2, 2]
    for window, clip in zip(WINDOWS, clips):
        for row, label in enumerate(clip.labels.tolist()):
            track = tracks[label // 2]
            truth = torch.from_numpy(track.masks[list(window.frame_ids)])
            assert torch.equal(clip.masks[row] > 0.5, truth)
        assert torch.allclose(clip.embeds.norm(dim=1), torch.ones(len(clip)))
    start = clips[0]
    assert start.bboxes[0].tolist() == [[2, 4, 14, 20], [5, 4, 17, 20], [8, 4, 20, 20]]
    assert start.circumscribed[0].tolist() == [2, 4, 20, 20]
    assert torch.equal(start.mask_params[0].view(32, 48), start.masks[0, 2])


def test_all_is_missed_when_told():
    clips = detect_clips(
        rng(), [square_track()], WINDOWS, 4, replace(CLEAN, miss=1.0, miss_hidden=1.0)
    )
    assert [len(clip) for clip in clips] == [0] * 4
    assert clips[0].masks.shape == (0, 3, 32, 48)


def test_rates_are_met():
    tracks = [square_track(0, length=400), square_track(1, length=400)]
    for track in tracks:
        track.masks[:] = square_track().masks[:1]
    windows = clip_windows(400, 1, 0)
    noise = replace(CLEAN, miss=0.2, wrong_class=0.4)
    clips = detect_clips(rng(), tracks, windows, 4, noise)
    found = sum(len(clip) for clip in clips)
    assert found / 800 == pytest.approx(0.8, abs=0.05)
    # a quarter of the wrong ones is right by chance
    wrong = sum(int((clip.labels > 1).sum()) for clip in clips)
    assert wrong / found == pytest.approx(0.4 / 2, abs=0.05)
    clips = detect_clips(rng(), tracks, windows, 4, replace(CLEAN, false=0.5))
    assert sum(map(len, clips)) / 400 == pytest.approx(2.5, abs=0.1)


def test_embeddings_of_a_class_are_alike():
    noise = replace(CLEAN, alike=0.5, embed_channels=4096)
    looks = identities(rng(), [0, 0, 1], noise)
    np.testing.assert_allclose(looks @ looks.T, [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], atol=0.06)


def test_noise_on_embeddings_has_the_length_it_is_told():
    noise = replace(CLEAN, embed_noise=0.5, embed_channels=4096)
    clips = detect_clips(rng(), [square_track()], WINDOWS, 4, noise)
    cos = (clips[0].embeds @ clips[1].embeds.T).item()
    assert cos == pytest.approx(1 / 1.25, abs=0.05)


def test_vanished_objects_are_gone_from_all_frames_of_some_clips():
    track = square_track()
    noise = replace(CLEAN, vanish=1.0, vanish_clips=2)
    gone = vanish(rng(), [track], WINDOWS, noise)[0]
    absent = np.flatnonzero(~gone.present).tolist()
    spans = [
        sorted({f for w in WINDOWS[a:b] for f in w.frame_ids})
        for a in range(1, 4)
        for b in (a + 1, a + 2)
    ]
    assert absent in spans
    assert not gone.masks[absent].any()
    assert track.present.all()  # the caller's own is as it was
    assert vanish(rng(), [track], WINDOWS, CLEAN)[0] is track


def test_equal_seeds_give_equal_detections():
    one, two = (
        detect_clips(rng(), [square_track()], WINDOWS, 4, DetectionNoise()) for _ in range(2)
    )
    for a, b in zip(one, two):
        assert torch.equal(a.masks, b.masks)
        assert torch.equal(a.embeds, b.embeds)


def test_boxes_of_masks():
    masks = torch.zeros(1, 3, 6, 8, dtype=torch.bool)
    masks[0, 1, 2:5, 3:4] = True
    assert mask_boxes(masks)[0].tolist() == [[3, 2, 4, 5]] * 3
    assert torch.equal(last_masks(masks)[0], masks[0, 1])
