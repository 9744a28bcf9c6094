"""Commands that run a model, and figures, on tiny video."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmcico.apis.model_loading import ANY_OBJECT
from mmcico.cli.demo import known_weights, make_video, parse_args
from mmcico.cli.main import main
from mmcico.cli.predict import check_sources, shown_frames, summary, to_source
from mmcico.testing import write_small_model
from mmcico.utils.files import MARK


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    return write_small_model(tmp_path_factory.mktemp('small'))


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """A folder of four frames."""
    folder = tmp_path_factory.mktemp('cat')
    rng = np.random.default_rng(0)
    for t in range(4):
        image = rng.integers(0, 256, (40, 72, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'{t}.png'), image)
    return folder


def count_frames(path):
    return int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))


def predict(small, *args):
    config, weights = small
    return main(
        ['predict', *map(str, args), '--model', config, '--weights', weights, '--device', 'cpu']
    )


def test_predict_writes_files_and_says_what_it_found(small, frames, tmp_path, capsys):
    out = tmp_path / 'out'
    assert (
        predict(
            small,
            frames,
            '--out',
            out,
            '--score-thr',
            0.31,
            '--trail',
            '3',
            '--circumscribed',
            '--boxes',
        )
        == 0
    )
    said = capsys.readouterr()
    name = frames.name
    tracks = json.loads((out / 'tracks' / f'{name}.json').read_text())
    good = [track for track in tracks if track['score'] >= 0.31]
    assert good and said.out.count(' frame') >= len(good)
    assert (
        f'{name}: {len(good)} tracks (and {len(tracks) - len(good)} with '
        'a score below 0.31)' in said.out
    )
    assert f'written to {out}' in said.out
    assert 'frames/s' in said.err
    assert count_frames(out / 'videos' / f'{name}.mp4') == 4
    assert len(list((out / 'masks' / name).glob('*.png'))) == 4
    assert json.loads((out / 'results.json').read_text())


def test_predict_writes_only_what_is_wanted(small, frames, tmp_path, capsys):
    assert predict(small, frames, '--out', tmp_path, '--save', 'json', '--quiet') == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ['results.json', 'tracks']
    said = capsys.readouterr()
    assert said.out == '' and 'frames/s' not in said.err


def test_predict_takes_several_videos(small, frames, tmp_path):
    glob = str(frames / '[01].png')
    assert (
        predict(small, frames, glob, '--out', tmp_path, '--save', 'video', '--fps', '5', '--quiet')
        == 0
    )
    names = {p.stem: count_frames(p) for p in tmp_path.rglob('*.mp4')}
    assert names == {frames.name: 4, f'{frames.name}_2': 2}


def test_a_glob_alone_is_one_video(small, frames, tmp_path):
    # the list of sources then has nothing but a name that ends in .png
    assert predict(small, frames / '[012].png', '--out', tmp_path, '--save', 'json', '--quiet') == 0
    tracks = tmp_path / 'tracks'
    assert [p.name for p in tracks.iterdir()] == [f'{frames.name}.json']
    for track in json.loads((tracks / f'{frames.name}.json').read_text()):
        assert len(track['segmentations']) == 3


def test_weights_of_another_model_are_refused(small, frames, tmp_path, capsys):
    config, _ = write_small_model(tmp_path, 'condinst')
    assert (
        main(
            [
                'predict',
                str(frames),
                '--model',
                config,
                '--weights',
                small[1],
                '--out',
                str(tmp_path / 'out'),
            ]
        )
        == 1
    )
    assert 'do not fit the config' in capsys.readouterr().err


def test_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert to_source('2') == 2 and to_source('a.mp4') == 'a.mp4'
    Path('7').mkdir()
    assert to_source('7') == '7'
    check_sources([0, 'rtsp://somewhere/stream'])
    with pytest.raises(ValueError, match='7 holds no image'):
        check_sources([0, '7'])


def test_where_a_track_is_seen():
    assert shown_frames([None, {}, None, {}]) == '1-3 (2 frames)'
    assert shown_frames([{}]) == '0-0 (1 frame)'
    assert shown_frames([None]) == '-'


def test_summary_by_hand():
    tracks = [
        dict(id=4, score=0.9, segmentations=[{}, {}], **{'class': 'dog'}),
        dict(id=1, score=0.2, segmentations=[{}, None], **{'class': 'cat'}),
    ]
    assert summary(dict(name='v', tracks=tracks), 0.3) == [
        'v: 1 track (and 1 with a score below 0.3)',
        '   id  class  score  frames',
        '    4  dog     0.90  0-1 (2 frames)',
    ]
    assert summary(dict(name='v', tracks=[]), 0.3) == ['v: 0 tracks (and 0 with a score below 0.3)']


def test_demo_without_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['demo', '--num-frames', '4']) == 0
    said = capsys.readouterr().out
    assert f'weights {ANY_OBJECT}' in said and 'found: ' in said
    assert count_frames('outputs/demo/truth.mp4') == 4
    assert count_frames('outputs/demo/videos/found.mp4') == 4
    # three frames in a row, each 480 wide
    assert cv2.imread('outputs/demo/truth.png').shape[1:] == (1440, 3)
    content = json.loads(Path('outputs/demo/data/instances.json').read_text())
    assert len(content['videos']) == 1


@pytest.mark.parametrize('name', ['data/instances.json', 'results.json', 'masks/found/00000.png'])
def test_demo_replaces_no_files_of_others(tmp_path, capsys, name):
    mine = tmp_path / name
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text('mine')
    assert main(['demo', '--num-frames', '4', '--out', str(tmp_path)]) == 1
    assert ' exists and would be replaced, though' in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.rglob('*.*') if path.name != MARK] == ['mine']


@pytest.mark.parametrize('name, code', [('results.json', 1), ('truth.mp4', 0)])
def test_demo_knows_the_folder_of_a_version_without_marks(tmp_path, name, code):
    args = ['demo', '--num-frames', '4', '--out', str(tmp_path)]
    make_video(tmp_path / 'data', parse_args(args[1:]), natural=True)
    (tmp_path / 'data' / MARK).unlink()
    (tmp_path / name).write_text('of an earlier run, or not')
    assert main(args) == code


def test_demo_with_weights(small, tmp_path, capsys):
    earlier = tmp_path / 'data' / 'JPEGImages' / '00000'
    earlier.mkdir(parents=True)
    cv2.imwrite(str(earlier / '00009.jpg'), np.zeros((6, 8, 3), np.uint8))  # of a longer video
    (tmp_path / 'data' / MARK).touch()
    assert (
        main(
            [
                'demo',
                '--num-frames',
                '4',
                '--model',
                small[0],
                '--weights',
                small[1],
                '--out',
                str(tmp_path),
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert f'weights {small[1]}' in said and 'quickstart.sh' not in said
    assert count_frames(tmp_path / 'videos' / 'found.mp4') == 4


def test_demo_finds_the_weights_of_the_quick_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert known_weights(None) is None
    folder = Path('work_dirs/quickstart')
    folder.mkdir(parents=True)
    (folder / 'last_checkpoint').write_text('')
    assert known_weights(None) is None
    (folder / 'last_checkpoint').write_text('/elsewhere/iter_9.pth')
    assert known_weights(None) is None
    (folder / 'iter_9.pth').touch()
    assert known_weights(None) == str(folder / 'iter_9.pth')
    assert known_weights('mine.pth') == 'mine.pth'


def test_visualize_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['demo', '--num-frames', '5']) == 0
    data = Path('outputs/demo/data')
    assert (
        main(
            [
                'visualize',
                str(data / 'JPEGImages'),
                str(data / 'instances.json'),
                '--out',
                'figures',
                '--clip',
                '1',
                '3',
                '--width',
                '200',
                '--circumscribed',
            ]
        )
        == 0
    )
    assert cv2.imread('figures/00000_1+3.png').shape == (112, 600, 3)
    assert capsys.readouterr().out.splitlines()[-1] == 'figures'
