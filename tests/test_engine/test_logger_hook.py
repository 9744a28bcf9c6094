"""The log of a test."""

import json
from types import SimpleNamespace

import mmengine.dist.utils
import pytest

from mmcico.engine import MasterLoggerHook


@pytest.mark.parametrize('rank', [0, 1])
def test_one_process_writes_the_metrics_of_a_test(rank, tmp_path, monkeypatch):
    monkeypatch.setattr(mmengine.dist.utils, 'get_rank', lambda group=None: rank)
    hook, lines = MasterLoggerHook(), []
    hook.json_log_path = 'metrics.json'
    runner = SimpleNamespace(
        log_dir=str(tmp_path),
        test_dataloader=[],
        logger=SimpleNamespace(info=lines.append),
        log_processor=SimpleNamespace(
            get_log_after_epoch=lambda *args, **kwargs: ({'segm_mAP': 0.5}, 'segm_mAP: 0.5')
        ),
    )
    hook.after_test_epoch(runner, {'segm_mAP': 0.5})
    files = {path.name: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert files == ({'metrics.json': {'segm_mAP': 0.5}} if rank == 0 else {})
    assert len(lines) == (rank == 0)
