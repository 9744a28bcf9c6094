"""The paper's models as ONNX files; minutes, so only on request."""

import os

import pytest
from exportable import build, full_cfg, need_onnx, run, video

from mmcico.deployment import OnnxInfo, compare_clips, export_onnx, load_onnx_model
from mmcico.deployment.options import Agreement

need_onnx()
pytestmark = pytest.mark.skipif(
    os.environ.get('MMCICO_FULL_EXPORT') != '1',
    reason='exports full models: set MMCICO_FULL_EXPORT=1',
)


@pytest.mark.parametrize('name', ['yolact_r50', 'condinst_r50', 'yolact_swin-t', 'condinst_swin-t'])
def test_full_models_agree(name, tmp_path, record_property):
    cfg = full_cfg(name)
    model, path = build(cfg, quantile=0.995), str(tmp_path / 'clip.onnx')
    report = export_onnx(model, path, OnnxInfo.of(model, cfg))
    largest = max(v for each in report.values() for v in each.values())
    onnx = load_onnx_model(cfg, path)
    onnx.nms = model.nms
    frames, total = video(5, (192, 320)), Agreement()
    for ours, theirs in zip(run(onnx, frames), run(model, frames)):
        total += compare_clips(ours, theirs)
    record_property('measured', f'{name}: network {largest:.1e}, {total}')
    assert largest <= 1e-4
    assert total.clips == 2 and total.instances >= 2 and total.same
    assert total.box < 1e-3 and total.score < 1e-4
    assert total.pixels > 100 and total.mask_share < 1e-3
