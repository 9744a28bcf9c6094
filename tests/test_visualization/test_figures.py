"""Figures of clips and galleries; prototypes."""

import json

import cv2
import numpy as np
import pytest
from small_sets import as_results
from tool_runs import tool_module

from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.visualization.figures import clip_figure, gallery, stack
from mmcico.visualization.overlay_files import load_overlays
from mmcico.visualization.overlays import overlay_frames
from mmcico.visualization.style import DrawStyle

TOOL = tool_module('analysis_tools/show_prototypes.py')
STYLE = DrawStyle(labels=False, min_side=1)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Two videos of six frames; all tracks, and those of the first one."""
    root = tmp_path_factory.mktemp('data')
    config = make_config('easy', num_frames=6, size=(48, 64), objects=(2, 2))
    content = json.loads(write_dataset(root, 2, seed=4, config=config).read_text())
    results = as_results(content['annotations'], 0.9)
    first = [each for each in results if each['video_id'] == 1]
    (root / 'a.json').write_text(json.dumps(results))
    (root / 'b.json').write_text(json.dumps(first))
    return root


def overlays(data, **results):
    return load_overlays(
        data / 'instances.json',
        {name: data / path for name, path in results.items()},
        side_by_side=True,
    )


def frame(data, video, place):
    path = data / 'JPEGImages' / f'{video:05d}' / f'{place:05d}.jpg'
    return cv2.imread(str(path))


def test_a_clip_has_a_row_for_each_result(data):
    _, second = overlays(data, one='a.json', two='b.json')
    figure = clip_figure(second, data / 'JPEGImages', STYLE, (2, 3), 64)
    assert figure.shape == (3 * 48, 3 * 64, 3)
    cells = figure.reshape(3, 48, 3, 64, 3).transpose(0, 2, 1, 3, 4)
    # the titles lie in the lower part
    for column in range(3):
        one, two, truth = cells[:, column, :30]
        assert (one == truth).all()
        assert (two == frame(data, 1, 2 + column)[:30]).all()
        assert (one != two).any()


def test_circumscribed_boxes_are_those_of_the_clip(data):
    style = DrawStyle(labels=False, min_side=1, circumscribed=True)
    first, _ = load_overlays(data / 'instances.json')
    part = first.at([2, 3, 4])
    middle = list(overlay_frames(part, data / 'JPEGImages', style))[1]
    whole = list(overlay_frames(first, data / 'JPEGImages', style))
    assert len(whole) == 6 and (middle == whole[3]).all()
    figure = clip_figure(first, data / 'JPEGImages', style, (2, 3), 64)
    assert (figure[:, 64:128] == middle).all()


def test_frames_that_are_not_there(data):
    first, _ = load_overlays(data / 'instances.json')
    for places in ([5, 6], [-1], []):
        with pytest.raises(ValueError, match='has the frames 0 to 5'):
            first.at(places)


def test_a_gallery_has_rows_of_spread_frames(data):
    videos = load_overlays(data / 'instances.json')
    row = gallery(videos[:1], data / 'JPEGImages', STYLE, 3, 64)
    drawn = list(overlay_frames(videos[0], data / 'JPEGImages', STYLE))
    assert row.shape == (len(drawn[0]), 192, 3)
    # places 0, 2.5 -> 2, 5; the first one has the name on it
    assert (row[:, 64:128] == drawn[2]).all() and (row[:, 128:] == drawn[5]).all()
    assert (row[24:, :64] == drawn[0][24:]).all() and (row[:24, :64] != drawn[0][:24]).any()
    picture = gallery(videos, data / 'JPEGImages', STYLE, 3, 32)
    assert picture.shape == (2 * 24, 3 * 32, 3)


def test_rows_of_different_length_and_size():
    small, large = np.full((2, 3, 3), 5, np.uint8), np.full((4, 4, 3), 7, np.uint8)
    picture = stack([[small, small], [large]])
    assert picture.shape == (8, 8, 3)
    assert (picture[:2, :3] == 5).all() and (picture[2:4] == 0).all()
    assert (picture[4:, :4] == 7).all() and (picture[4:, 4:] == 0).all()


def test_the_tool_compares_and_checks_titles(data, tmp_path, capsys):
    tool = tool_module('visualize_results.py')
    base = [str(data / 'JPEGImages'), str(data / 'instances.json')]
    both = [str(data / 'a.json'), str(data / 'b.json')]
    out = ['--out', str(tmp_path), '--min-side', '1']
    tool.main([*base, *both, '--clip', '0', '2', '--videos', '1', *out])
    assert cv2.imread(str(tmp_path / '00001_0+2.png')).shape == (96, 128, 3)
    tool.main([*base, *both, '--gallery', '4', *out])
    assert cv2.imread(str(tmp_path / 'gallery.png')).shape == (192, 256, 3)
    assert not list(tmp_path.glob('*.mp4'))
    with pytest.raises(ValueError, match='a title occurs twice'):
        tool.main([*base, both[0], both[0], *out])
    with pytest.raises(SystemExit):
        tool.main([*base, *both, '--titles', 'one', *out])
    assert '1 --titles for 2 results' in capsys.readouterr().err


def test_bars_by_hand():
    chart = TOOL.bars(np.array([1.0, -0.5, 0.0]), (21, 9))
    up, down = (chart[:, 1] != 245).any(1), (chart[:, 4] != 245).any(1)
    assert np.flatnonzero(up).tolist() == list(range(1, 11))
    # half of nine pixels is rounded to four
    assert np.flatnonzero(down).tolist() == list(range(10, 15))
    assert np.flatnonzero((chart[:, 7] != 245).any(1)).tolist() == [10]
    assert (TOOL.bars(np.zeros(2), (5, 4))[[0, 1, 3, 4]] == 245).all()


def test_heat_is_dark_at_the_low_end_and_clipped():
    values = np.array([[-3.0, 0.0], [1.0, 9.0]])
    picture = TOOL.heat(values, (4, 4), 0.0, 1.0)
    assert picture.shape == (4, 4, 3)
    assert (picture[:2] == picture[0, 0]).all()
    assert (picture[2:] == picture[3, 3]).all()
    assert picture[3, 3].sum() > picture[0, 0].sum()


def test_a_sheet_shows_every_prototype():
    rng = np.random.default_rng(0)
    view = TOOL.PrototypeView(
        np.full((60, 80, 3), 9, np.uint8),
        rng.random((15, 20)),
        rng.random((10, 15, 20)),
        rng.uniform(-1, 1, 10),
    )
    tiles = TOOL.prototype_tiles(view, (60, 80))
    assert len(tiles) == 10
    sheet = TOOL.prototype_sheet(view, columns=6, width=80)
    # twice the height above, then 10 prototypes in 2 rows of 6
    assert sheet.shape == (120 + 2 * 60, 6 * 80, 3)
    assert (sheet[120:180, :80] == tiles[0]).all()
    assert (sheet[180:, 3 * 80 : 4 * 80] == tiles[9]).all()


def test_the_tool_shows_prototypes(tmp_path, capsys):
    from mmcico.testing import write_small_model

    rng = np.random.default_rng(0)
    (tmp_path / 'cat').mkdir()
    for t in range(4):
        cv2.imwrite(
            str(tmp_path / 'cat' / f'{t}.png'), rng.integers(0, 256, (40, 72, 3), dtype=np.uint8)
        )
    args = [*write_small_model(tmp_path), str(tmp_path / 'cat')]
    path = tmp_path / 'sheet.png'
    for number in (0, 3):  # the last frame comes with the end of the video
        TOOL.main([*args, '--frame', str(number), '--out', str(path)])
        assert f'frame {number}: {path}' in capsys.readouterr().out
    assert cv2.imread(str(path)).shape[1] == 1600
    with pytest.raises(ValueError, match='--frame 4: cat has the frames 0 to'):
        TOOL.main([*args, '--frame', '4', '--out', str(path)])
    with pytest.raises(ValueError, match='has no track 999; it has'):
        TOOL.main([*args, '--track', '999', '--out', str(path)])


def test_the_benchmark_of_drawing_runs(tmp_path, capsys):
    from mmcico.testing import write_small_model

    tool = tool_module('benchmarks/drawing_benchmark.py')
    (tmp_path / 'cat').mkdir()
    for t in range(4):
        image = np.full((40, 72, 3), 40 * t, np.uint8)
        cv2.imwrite(str(tmp_path / 'cat' / f'{t}.png'), image)
    tool.main([*write_small_model(tmp_path), str(tmp_path / 'cat')])
    lines = capsys.readouterr().out.splitlines()[-5:]
    assert lines[0] == '4 frames of 40 x 72, style full'
    times = {line.split()[0]: float(line.split()[1]) for line in lines[1:]}
    assert list(times) == ['model', 'drawing', 'writing', 'together']
    assert times['model'] > 0 and lines[1].endswith('100.0% of the model')
