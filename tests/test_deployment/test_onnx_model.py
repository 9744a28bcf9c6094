"""A model on an ONNX file gives what its own layers give."""
import pytest
import torch
from exportable import KINDS, build, need_onnx, run, small_cfg, video

from mmcico.deployment import (OnnxInfo, compare_clips, export_onnx,
                               load_onnx_model)
from mmcico.deployment.agreement import Agreement
from mmcico.models.vis.video_state import VideoState

need_onnx()
CLASSES = ('cat', "giant panda's", 'Vehical', 'ape')


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Config, model and file by kind; each is exported once."""
    made = {}

    def get(kind):
        if kind not in made:
            cfg = small_cfg(kind)
            model = build(cfg)
            path = str(tmp_path_factory.mktemp(kind) / 'clip.onnx')
            info = OnnxInfo.of(model, cfg, CLASSES, (40, 5, 0, 7))
            report = export_onnx(model, path, info)
            made[kind] = cfg, model, path, report
        return made[kind]

    return get


def load(cfg, model, path):
    onnx = load_onnx_model(cfg, path, num_threads=1)
    onnx.nms = model.nms
    return onnx


@pytest.mark.parametrize('size', [(96, 160), (64, 224)])
@pytest.mark.parametrize('kind', KINDS)
def test_results_are_those_of_pytorch(exported, kind, size):
    cfg, model, path, report = exported(kind)
    assert set(report) == {(128, 96), (224, 256)}
    assert all(v <= 1e-4 for each in report.values() for v in each.values())
    onnx, frames = load(cfg, model, path), video(7, size)
    total = Agreement()
    for ours, theirs in zip(run(onnx, frames), run(model, frames)):
        total += compare_clips(ours, theirs)
    assert total.clips == 3 and total.instances >= 3
    assert total.same
    assert total.box < 1e-3 and total.score < 1e-4
    assert total.pixels > 100 and total.mask_share < 1e-3
