"""Benchmarks that no other test starts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tool_runs import run_here

from mmcico.visualization.picture_files import write_video

ROOT = Path(__file__).parents[2]
DEMO = ROOT / 'configs/demo/cico-yolact_demo_moving-shapes.py'


@pytest.mark.slow
def test_memory_by_length(capsys):
    np.ones(100 * 2**20)  # 0.8 GB, the highest use of this process, which does not count
    args = ('benchmarks/memory_by_length.py', DEMO, '--lengths', '3', '--size', '64', '96')
    assert run_here(*args) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith('| 3 | ') and float(lines[2].split('|')[2]) < 1000
    assert lines[-1] == 'last over first: 1.000'


def test_animated_picture_puts_videos_side_by_side(tmp_path):
    for name, grey in (('a.mp4', 40), ('b.mp4', 200)):
        write_video(tmp_path / name, [np.full((48, 64, 3), grey, np.uint8)] * 4, 5)
    out = tmp_path / 'both.gif'
    run_here(
        'benchmarks/animated_picture.py',
        tmp_path / 'a.mp4',
        tmp_path / 'b.mp4',
        '--out',
        out,
        '--height',
        '24',
    )
    picture = Image.open(out)
    assert picture.size == (64, 24)
    pixels = np.asarray(picture.convert('L'))
    assert abs(int(pixels[12, 16]) - 40) < 6 and abs(int(pixels[12, 48]) - 200) < 6
