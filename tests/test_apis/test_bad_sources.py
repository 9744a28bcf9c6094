"""What goes wrong with videos and folders, and what is said then."""

import json
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmcico.apis import open_source
from mmcico.apis.output_plan import check_writable
from mmcico.cli.main import main
from mmcico.utils import files
from mmcico.utils.files import distinct, part_path, write_whole
from mmcico.visualization import open_video_writer

FULL = Path('/dev/full')
needs_full = pytest.mark.skipif(not FULL.exists(), reason='no device that is always full')


def video(length, size=(40, 72), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(length)]


def write_frames(folder, frames):
    folder.mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{index}.png'), frame)
    return folder


def lengths(folder):
    """Frames by video, as results.json has them."""
    entries = json.loads((folder / 'results.json').read_text())
    return {each['video_id']: len(each['segmentations']) for each in entries}


def command(small, *args):
    return main(
        [
            'predict',
            *map(str, args),
            '--model',
            small[0],
            '--weights',
            str(small[1]),
            '--device',
            'cpu',
            '--quiet',
        ]
    )


def bad_file(folder, kind):
    """A source that cannot be used, and what has to be said."""
    path = folder / f'{kind}.mp4'
    if kind == 'empty':
        path.write_bytes(b'')
        return path, 'empty.mp4 is an empty file'
    if kind == 'text':
        path.write_text('no video')
        return path, 'text.mp4 is a text file'
    if kind == 'missing':
        return path, 'missing.mp4" does not exist'
    with open_video_writer(path, 10, (40, 72)) as writer:
        for frame in video(6):
            writer.write(frame)
    path.write_bytes(path.read_bytes()[:1500])
    return path, 'cut'


@pytest.mark.parametrize('kind', ['empty', 'text', 'missing', 'cut'])
def test_video_files(kind, small, inferencer, tmp_path, capfd):
    path, message = bad_file(tmp_path, kind)
    with pytest.raises(ValueError, match=message):
        inferencer(str(path), out_dir=str(tmp_path / 'out'))
    assert command(small, path, '--out', tmp_path / 'out') == 1
    said = capfd.readouterr().err
    assert 'error: ' in said and message in said and 'Traceback' not in said


def test_an_image_of_no_bytes_ends_a_folder(small, inferencer, tmp_path, capsys):
    folder = write_frames(tmp_path / 'clip', video(6))
    (folder / '4.png').write_bytes(b'')
    with pytest.raises(ValueError, match='4.png is an empty file'):
        inferencer(str(folder), out_dir=str(tmp_path / 'out'))
    assert lengths(tmp_path / 'out') == {'clip': 4}
    assert command(small, folder, '--out', tmp_path / 'two') == 1
    assert '4.png is an empty file' in capsys.readouterr().err
    assert lengths(tmp_path / 'two') == {'clip': 4}


def test_an_image_that_claims_too_many_pixels(tmp_path):
    # 40000 x 40000, more than OpenCV takes, in a file of few bytes
    header = b'IHDR' + struct.pack('>IIBBBBB', 40000, 40000, 8, 2, 0, 0, 0)
    data = b'IDAT' + zlib.compress(bytes(1000))
    parts = [
        struct.pack('>I', len(each) - 4) + each + struct.pack('>I', zlib.crc32(each))
        for each in (header, data, b'IEND')
    ]
    (tmp_path / 'huge.png').write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(parts))
    with pytest.raises(
        ValueError, match='huge.png has (40000 x 40000|more than 100,000,000) pixels'
    ):
        list(open_source(tmp_path / 'huge.png'))


@pytest.mark.parametrize('good', [1, 2, 3, 4, 5, 8])
def test_frames_before_an_error_have_the_results_of_a_whole_video(good, inferencer):
    frames = video(good)
    whole = list(inferencer.stream(frames))
    found = []
    with pytest.raises(ValueError, match=f'frame {good} is .*one size'):
        for result in inferencer.stream(frames + video(2, (30, 72))):
            found.append(result)
    assert len(found) == good
    for one, two in zip(whole, found):
        a, b = one.sample.pred_track_instances, two.sample.pred_track_instances
        assert a.instances_id.tolist() == b.instances_id.tolist()
        assert torch.equal(a.masks, b.masks)


def test_what_a_camera_raises_comes_after_its_frames(inferencer, tmp_path):

    def camera():
        yield from video(5)
        raise ConnectionError('the cable is out')

    with pytest.raises(ConnectionError, match='the cable is out'):
        inferencer(camera(), out_dir=str(tmp_path))
    assert lengths(tmp_path) == {'frames': 5}
    assert len(list((tmp_path / 'masks/frames').iterdir())) == 5


class Camera:
    """Sends four frames."""

    def __init__(self, source):
        self.left = video(4)

    def isOpened(self):
        return True

    def get(self, what):
        return -1.0

    def read(self):
        return (True, self.left.pop()) if self.left else (False, None)

    def release(self):
        self.left = []


def test_a_camera_that_drops_out(inferencer, tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    said = []
    monkeypatch.setattr(
        'mmcico.apis.captures.print_log', lambda message, **settings: said.append(message)
    )
    inferencer(0, out_dir=str(tmp_path), save=['json'])
    assert lengths(tmp_path) == {'camera0': 4}
    assert said == ['camera0: no more frames came after 4']


def test_other_kinds_of_frames_give_the_same_results(inferencer):
    grey = [frame[..., 0] for frame in video(4)]
    as_bgr = [np.repeat(frame[..., None], 3, 2) for frame in grey]
    clear = [np.dstack([frame, 9 * frame[..., :1]]) for frame in as_bgr]
    expected = inferencer(as_bgr)['predictions'][0]['tracks']
    assert expected
    for frames in (grey, [frame[..., None] for frame in grey], clear, np.stack(as_bgr)):
        assert inferencer(frames)['predictions'][0]['tracks'] == expected


@pytest.mark.parametrize(
    'frames',
    [
        video(1),
        video(2),
        video(4, (41, 73)),
        video(3, (1, 1)),
        video(3, (1500, 2700)),
        video(3, (5, 300)),
    ],
    ids=['one', 'shorter than a clip', 'odd', 'a pixel', 'large', 'long'],
)
def test_unusual_lengths_and_sizes(frames, inferencer, tmp_path):
    inferencer(frames, out_dir=str(tmp_path))
    pictures = sorted((tmp_path / 'masks/frames').iterdir())
    assert len(pictures) == len(frames)
    assert cv2.imread(str(pictures[0])).shape == frames[0].shape
    shown = cv2.VideoCapture(str(tmp_path / 'videos/frames.mp4'))
    assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == len(frames)
    tracks = json.loads((tmp_path / 'tracks/frames.json').read_text())
    assert {len(track['segmentations']) for track in tracks} <= {len(frames)}


def test_frames_too_long_for_the_input(inferencer):
    with pytest.raises(ValueError, match=r'frames of \(1, 9000\) .* resized'):
        inferencer(video(3, (1, 9000)))


@pytest.mark.parametrize('fps', [0, -1, 1e6])
def test_rates_that_cannot_be(fps, inferencer, tmp_path):
    with pytest.raises(ValueError, match='fps=.*from 0.01'):
        inferencer(video(1), out_dir=str(tmp_path), fps=fps)
    assert not list(tmp_path.iterdir())


def test_one_kind_of_file_is_a_word(inferencer, tmp_path):
    inferencer(video(1), out_dir=str(tmp_path), save='json')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['results.json', 'tracks']


def test_one_array_of_an_image_is_one_frame(inferencer):
    (image,) = video(1)
    assert len(list(inferencer.stream(image))) == 1
    assert len(list(inferencer.stream(image[..., 0]))) == 1
    assert len(list(inferencer.stream(np.stack([image] * 4)))) == 4
    assert len(list(inferencer.stream(np.stack([image[..., 0]] * 4)))) == 4


def test_names_that_are_not_ascii(small, tmp_path):
    folder = write_frames(tmp_path / 'Straße 视频', video(3))
    assert command(small, folder, '--out', tmp_path / 'Übersicht') == 0
    assert (tmp_path / 'Übersicht/videos/Straße 视频.mp4').stat().st_size > 0
    assert set(lengths(tmp_path / 'Übersicht')) == {'Straße 视频'}


def test_names_stay_in_the_folder_and_differ(inferencer, tmp_path):
    seen = {}
    names = ['a', 'a', 'a_2', '../../a', 'rtsp://x', '..', 'a']
    assert [distinct(name, seen) for name in names] == [
        'a',
        'a_2',
        'a_2_2',
        '_.._a',
        'rtsp___x',
        'video',
        'a_3',
    ]
    inferencer(open_source(video(2), '../out'), out_dir=str(tmp_path / 'in'))
    assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_names_that_file_systems_do_not_allow_are_cut_off(inferencer, tmp_path):
    names = [distinct(name, {}) for name in ('x' * 250, '視' * 80, 'y' * 199 + '視')]
    assert names == ['x' * 200, '視' * 66, 'y' * 199]
    inferencer(open_source(video(2), '視' * 80), out_dir=str(tmp_path))
    assert (tmp_path / 'tracks' / f'{names[1]}.json').is_file()
    assert (tmp_path / 'videos' / f'{names[1]}.mp4').is_file()


@pytest.mark.parametrize('source', ['rtsp://127.0.0.1:9/x', 'missing.mp4'])
def test_a_source_that_cannot_be_opened_replaces_no_results(source, inferencer, tmp_path):
    path = tmp_path / 'results.json'
    path.write_text('earlier')
    with pytest.raises(ValueError):
        inferencer(source, out_dir=str(tmp_path))
    assert path.read_text() == 'earlier' and [*tmp_path.iterdir()] == [path]


def test_threads_may_share_a_folder(tmp_path):
    path = tmp_path / 'results.json'

    def use(number):
        check_writable(tmp_path)
        write_whole(path, str(number) * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(400)))
    assert len(set(path.read_text())) <= 3 and [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize('source', [-1, None, b'abc', dict(a=1), ''])
def test_what_is_no_source(source):
    with pytest.raises(ValueError, match='is not a video|does not exist'):
        open_source(source)


def test_a_folder_that_cannot_be_made(small, inferencer, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    out = tmp_path / 'file' / 'out'
    with pytest.raises(ValueError, match='cannot write to the folder'):
        inferencer(video(3), out_dir=str(out))
    folder = write_frames(tmp_path / 'clip', video(3))
    assert command(small, folder, '--out', out) == 1
    assert 'cannot write to the folder' in capsys.readouterr().err


@needs_full
def test_a_disk_that_fills_up_loses_no_tracks(small, inferencer, tmp_path, capsys):
    masks = tmp_path / 'out/masks/clip'
    masks.mkdir(parents=True)
    (masks / '00003.png').symlink_to(FULL)
    folder = write_frames(tmp_path / 'clip', video(9))
    with pytest.raises(OSError, match='cannot write the file .*00003.png'):
        inferencer(str(folder), out_dir=str(tmp_path / 'out'))
    assert lengths(tmp_path / 'out')['clip'] >= 4
    shown = cv2.VideoCapture(str(tmp_path / 'out/videos/clip.mp4'))
    assert shown.get(cv2.CAP_PROP_FRAME_COUNT) >= 4
    assert command(small, folder, '--out', tmp_path / 'out') == 1
    assert 'No space left on device' in capsys.readouterr().err


@needs_full
def test_a_video_on_a_full_disk(inferencer, tmp_path):
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'videos/frames.mp4').symlink_to(FULL)
    with pytest.raises(OSError, match='cannot write the video .*frames.mp4'):
        inferencer(video(5), out_dir=str(tmp_path))
    assert lengths(tmp_path)['frames'] >= 1


@needs_full
def test_a_file_on_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / 'results.json'
    write_whole(path, '[1]')
    full = part_path(path)
    full.symlink_to(FULL)
    monkeypatch.setattr(files, 'part_path', lambda path: full)
    with pytest.raises(OSError, match='results.json: No space left on device'):
        write_whole(path, '[2]')
    assert json.loads(path.read_text()) == [1]
    assert [each.name for each in tmp_path.iterdir()] == ['results.json']


@pytest.mark.parametrize('score_thr', [5, -0.1, float('nan')])
def test_scores_that_cannot_be(score_thr, inferencer, tmp_path):
    with pytest.raises(ValueError, match='score_thr=.*between 0 and 1'):
        inferencer(video(1), out_dir=str(tmp_path), score_thr=score_thr)
    assert not list(tmp_path.iterdir())
