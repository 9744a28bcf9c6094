"""A model on an ONNX file gives what its own layers give."""

import sys

import numpy as np
import pytest
import torch
from exportable import KINDS, build, need_onnx, run, small_cfg, video
from mmengine.config import ConfigDict
from mmengine.dataset import Compose

from mmcico.apis import ClipStream
from mmcico.deployment import OnnxInfo, compare_clips, export_onnx, load_onnx_model
from mmcico.deployment.options import Agreement
from mmcico.models.vis.clip_network import VideoState

need_onnx()
CLASSES = ('cat', "giant panda's", 'Vehical', 'ape')


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Config, model, file and report by kind; each is exported once."""
    made = {}

    def get(kind):
        if kind not in made:
            cfg = small_cfg(kind)
            model = build(cfg)
            path = str(tmp_path_factory.mktemp(kind) / 'clip.onnx')
            info = OnnxInfo.of(model, cfg, CLASSES, (40, 5, 0, 7))
            made[kind] = cfg, model, path, export_onnx(model, path, info)
        return made[kind]

    return get


def load(cfg, model, path):
    """The file's model, with the test's threshold."""
    onnx = load_onnx_model(cfg, path, num_threads=1)
    onnx.nms = model.nms
    return onnx


@pytest.mark.parametrize('size', [(96, 160), (64, 224)])
@pytest.mark.parametrize('kind', KINDS)
def test_results_are_those_of_pytorch(exported, kind, size):
    cfg, model, path, report = exported(kind)
    assert set(report) == {(128, 96), (224, 256)}
    assert all(0 <= v <= 1e-4 for each in report.values() for v in each.values())
    assert set(report[128, 96]) >= {'cls_scores', 'embeds', 'priors'}
    onnx, frames = load(cfg, model, path), video(7, size)
    total = Agreement()
    for ours, theirs in zip(run(onnx, frames), run(model, frames)):
        total += compare_clips(ours, theirs)
    assert total.clips == 3 and total.instances >= 3
    assert total.same
    assert total.box < 1e-3 and total.score < 1e-4
    assert total.pixels > 100 and total.mask_share < 1e-3


def test_streams_take_either(exported):
    cfg, model, path, _ = exported('yolact')
    steps = [
        dict(type='mmcico.ClipFrameSample'),
        dict(
            type='TransformBroadcaster',
            transforms=[
                dict(type='mmcico.LoadClipArray'),
                dict(type='Resize', scale=(128, 64), keep_ratio=True),
            ],
        ),
        dict(type='mmcico.PackClipInputs'),
    ]
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 256, (40, 72, 3), dtype=np.uint8) for _ in range(6)]
    ours, theirs = (
        list(ClipStream(each, Compose(steps)).run(frames))
        for each in (load(cfg, model, path), model)
    )
    assert len(ours) == len(theirs) == 6
    found = 0
    for one, other in zip(ours, theirs):
        one, other = (each.sample.pred_track_instances for each in (one, other))
        assert one.instances_id.tolist() == other.instances_id.tolist()
        assert one.labels.tolist() == other.labels.tolist()
        torch.testing.assert_close(one.scores, other.scores, rtol=0, atol=1e-4)
        differ = (one.masks != other.masks).float().mean() if len(one) else 0
        assert differ < 1e-3
        found += len(one)
    assert found


def test_the_file_knows_its_model(exported):
    cfg, model, path, _ = exported('yolact')
    onnx = load_onnx_model(None, path)
    assert onnx.onnx_info.num_frames == onnx.num_frames == 3
    assert onnx.onnx_info.strides == ((8, 8), (16, 16), (32, 32))
    assert onnx.onnx_info.classes == CLASSES
    assert onnx.dataset_meta == dict(classes=CLASSES, category_ids=(40, 5, 0, 7))
    assert onnx.onnx_info.cfg == cfg.to_dict()
    assert not list(onnx.parameters())
    with pytest.raises(ValueError, match='neither train'):
        onnx(video(3)[None], mode='tensor')


def changed(cfg, **values):
    """A config with other settings of the model."""
    other = cfg.copy()
    other.merge_from_dict({f'model.{k}': v for k, v in values.items()})
    return other


@pytest.mark.parametrize(
    'values, message',
    [
        ({'bbox_head.num_frames': 2}, 'T. 3 instead of 2'),
        ({'bbox_head.num_classes': 7}, 'class channels 5 instead of 8'),
        ({'bbox_head.anchor_generator.scales': [4]}, 'anchor_generator'),
        ({'data_preprocessor.mean': [0, 0, 0]}, 'data_preprocessor'),
        ({'mask_head.generator.num_protos': 8}, 'generator'),
    ],
)
def test_another_config_is_refused(exported, values, message):
    cfg, _, path, _ = exported('yolact')
    with pytest.raises(ValueError, match=message):
        load_onnx_model(changed(cfg, **values), path)


def test_tracker_and_thresholds_may_change(exported):
    cfg, _, path, _ = exported('yolact')
    other = changed(cfg, **{'tracker.memory': 3})
    other.model.test_cfg = ConfigDict(nms=dict(type='mmcico.ClipNMS', score_thr=0.7))
    onnx = load_onnx_model(other, path)
    assert onnx.tracker.memory == 3 and onnx.nms.score_thr == 0.7


def test_sizes_that_do_not_fit_are_refused(exported):
    cfg, model, path, _ = exported('yolact')
    onnx, frames = load(cfg, model, path), video(3)
    with pytest.raises(ValueError, match='multiples of 32'):
        onnx.step(VideoState(), frames[..., :80, :], (0, 1, 2), 2)
    state, _ = onnx.step(VideoState(), frames, (0, 1, 2), 2)
    assert state.known.frame_ids == ()
    with pytest.raises(ValueError, match='another video'):
        onnx.step(state, frames[..., :64, :], (2, 3, 4), 2)


def test_files_that_cannot_be_used(exported, tmp_path):
    cfg, _, path, _ = exported('yolact')
    with pytest.raises(ValueError, match='does not exist'):
        load_onnx_model(cfg, str(tmp_path / 'none.onnx'))
    damaged = tmp_path / 'damaged.onnx'
    damaged.write_bytes(b'no model')
    with pytest.raises(ValueError, match='cannot open .*damaged.onnx'):
        load_onnx_model(cfg, str(damaged))
    with pytest.raises(ValueError, match='no provider FastProvider'):
        load_onnx_model(cfg, path, providers=['FastProvider'])


def test_missing_packages_are_named(exported, monkeypatch):
    cfg, _, path, _ = exported('yolact')
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ValueError, match='onnxruntime.*pip install'):
        load_onnx_model(cfg, path)
