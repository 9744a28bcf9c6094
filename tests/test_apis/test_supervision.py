"""Results as supervision's detections, and the code of the page about it."""

import csv
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from video_files import read_video

from mmcico.apis import FrameResult
from mmcico.testing import write_small_model
from mmcico.visualization import open_video_writer

PAGE = Path(__file__).parents[2] / 'docs' / 'en' / 'supervision.md'


def result(count):
    """A frame of 6 x 8 pixels; object n is pixel (n, n)."""
    masks = torch.zeros(count, 6, 8, dtype=torch.bool)
    for place in range(count):
        masks[place, place, place] = True
    boxes = [[place, place, place + 1, place + 1] for place in range(count)]
    sample = DetDataSample()
    sample.pred_track_instances = InstanceData(
        instances_id=torch.arange(count) + 7,
        labels=torch.arange(count) % 2,
        scores=torch.linspace(0.5, 0.75, count),
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        masks=masks,
    )
    return FrameResult(0, np.zeros((6, 8, 3), np.uint8), sample)


def test_detections_have_all_fields():
    pytest.importorskip('supervision')
    found = result(3).to_supervision(('cat', 'dog'))
    assert found.xyxy.tolist() == [[0, 0, 1, 1], [1, 1, 2, 2], [2, 2, 3, 3]]
    assert found.confidence.tolist() == [0.5, 0.625, 0.75]
    assert found.class_id.tolist() == [0, 1, 0] and found.tracker_id.tolist() == [7, 8, 9]
    assert found['class_name'].tolist() == ['cat', 'dog', 'cat']
    assert np.argwhere(found.mask).tolist() == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    assert found[found.confidence > 0.6].tracker_id.tolist() == [8, 9]
    assert found.area.tolist() == [1, 1, 1]


def test_a_frame_without_objects():
    pytest.importorskip('supervision')
    for classes in (None, ('cat', 'dog')):
        found = result(0).to_supervision(classes)
        assert len(found) == 0 and found.xyxy.shape == (0, 4) and found.mask.shape == (0, 6, 8)


def test_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'supervision', None)
    with pytest.raises(ValueError, match='pip install supervision'):
        result(1).to_supervision()


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    pytest.importorskip('supervision')
    config, weights = write_small_model(tmp_path)
    shutil.copy(config, tmp_path / 'CONFIG.py')
    shutil.copy(weights, tmp_path / 'MODEL.pth')
    rng = np.random.default_rng(0)
    with open_video_writer(tmp_path / 'video.mp4', 10, (40, 72)) as writer:
        for _ in range(5):
            writer.write(rng.integers(0, 256, (40, 72, 3), dtype=np.uint8))
    monkeypatch.chdir(tmp_path)
    code = re.findall('```python\n(.*?)```', PAGE.read_text(), re.S)
    assert len(code) == 3
    names = {}
    for block in code:
        exec(compile(block, str(PAGE), 'exec'), names)
    assert len(read_video(tmp_path / 'annotated.mp4')[0]) == 5
    assert len(names['counts']) == 5 and 'in the left half:' in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / 'tracks.csv').open()))
    assert {int(row['frame']) for row in rows} <= set(range(5)) and rows
