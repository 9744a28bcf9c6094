"""Videos are read again: frames, sizes, colours; unusable targets."""

from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_files import read_video

from mmcico.utils.files import part_path
from mmcico.visualization import open_video_writer, picture_files
from mmcico.visualization.picture_files import OpenCVWriter, write_video

VIDEO_WRITER = cv2.VideoWriter
BACKENDS = ['opencv'] + (
    ['pyav'] if picture_files.av and 'libx264' in picture_files.av.codecs_available else []
)


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    if request.param == 'opencv':
        monkeypatch.setattr(picture_files, 'av', None)
    return request.param


def frames_of(count, size):
    """Even frames, each one brighter than the one before."""
    return [np.full((*size, 3), 40 + 20 * index, np.uint8) for index in range(count)]


def test_video_can_be_read_again(tmp_path, backend):
    frames = frames_of(7, (48, 64))
    path = tmp_path / 'new' / 'folder' / 'video.mp4'
    with open_video_writer(path, 12.5, (48, 64)) as writer:
        for frame in frames:
            writer.write(frame)
    assert writer.num_frames == 7
    found, fps = read_video(path)
    assert fps == pytest.approx(12.5)
    assert len(found) == 7
    for one, two in zip(found, frames):
        assert one.shape == (48, 64, 3)
        assert np.abs(one.astype(int) - two).mean() < 6


def test_odd_sizes_are_padded(tmp_path, backend):
    with open_video_writer(tmp_path / 'odd.mp4', 5, (47, 63)) as writer:
        for frame in frames_of(3, (47, 63)):
            writer.write(frame)
    found, _ = read_video(tmp_path / 'odd.mp4')
    assert [frame.shape for frame in found] == [(48, 64, 3)] * 3
    # the last row and column are repeated, not black
    assert np.abs(found[-1].astype(int) - 80).max() < 12


def test_the_smallest_video(tmp_path, backend):
    with open_video_writer(tmp_path / 'dot.mp4', 5, (1, 1)) as writer:
        writer.write(frames_of(1, (1, 1))[0])
    assert [f.shape for f in read_video(tmp_path / 'dot.mp4')[0]] == [(2, 2, 3)]


def test_colours_keep_their_order(tmp_path, backend):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[..., 0] = 200  # blue
    with open_video_writer(tmp_path / 'blue.mp4', 5, (48, 64)) as writer:
        writer.write(frame)
    found = read_video(tmp_path / 'blue.mp4')[0][0].mean(axis=(0, 1))
    assert found[0] > 150 and found[1:].max() < 50


@pytest.mark.skipif('pyav' not in BACKENDS, reason='needs PyAV')
def test_pyav_writes_what_browsers_show(tmp_path):
    av = pytest.importorskip('av')
    with open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
        writer.write(frames_of(1, (48, 64))[0])
    with av.open(str(tmp_path / 'a.mp4')) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.pix_fmt == 'yuv420p'
        # told, or players take large videos for BT.709, red for orange
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_range) == (6, 1)


def test_opencv_stands_in_for_pyav(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_files, 'av', None)
    with open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
        assert isinstance(writer, OpenCVWriter)
        writer.write(frames_of(1, (48, 64))[0])


def test_no_frames_leave_no_file(tmp_path, backend):
    with open_video_writer(tmp_path / 'none.mp4', 5, (48, 64)):
        pass
    assert not (tmp_path / 'none.mp4').exists()


def test_frames_before_an_error_can_be_seen(tmp_path, backend):
    frames = frames_of(4, (48, 64))
    with pytest.raises(KeyError), open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
        for frame in frames:
            writer.write(frame)
        raise KeyError('from the caller')
    assert len(read_video(tmp_path / 'a.mp4')[0]) == 4


def test_frames_before_an_interruption_can_be_seen(tmp_path, backend, monkeypatch):
    frames = frames_of(4, (48, 64))
    with (
        pytest.raises(KeyboardInterrupt),
        open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer,
    ):
        for frame in frames:
            writer.write(frame)
        monkeypatch.setattr(writer, '_encode', interrupted)
        writer.write(frames[0])
    assert len(read_video(tmp_path / 'a.mp4')[0]) == 4


def interrupted(frame):
    raise KeyboardInterrupt


def test_a_frame_of_another_size_is_named(tmp_path, backend):
    with pytest.raises(ValueError, match=r'frame 1 is \(48, 60, 3\)'):
        with open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
            writer.write(frames_of(1, (48, 64))[0])
            writer.write(frames_of(1, (48, 60))[0])
    with pytest.raises(ValueError, match='float64'):
        with open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
            writer.write(np.zeros((48, 64, 3)))


@pytest.mark.parametrize(
    'name, fps, size, words',
    [
        ('a.avi', 5, (48, 64), 'ends in .mp4'),
        ('a.mp4', 0, (48, 64), 'fps is 0'),
        ('a.mp4', float('nan'), (48, 64), 'fps is nan'),
        ('a.mp4', 0.009, (48, 64), 'fps is 0.009, choose a number from 0.01 to 1000'),
        ('a.mp4', 5, (0, 64), r'\(0, 64\)'),
        ('a.mp4', 5, (2, 16385), r'\(2, 16385\), choose sides from 1 to'),
    ],
)
def test_unusable_settings_are_named(tmp_path, name, fps, size, words):
    with pytest.raises(ValueError, match=words), open_video_writer(tmp_path / name, fps, size):
        pass


# MPEG-4 counts time by 16 bits; H.264 has fractions of up to 1001
@pytest.mark.parametrize('fps', [0.01, 0.35, 29.97, 59.94, 66.667, 122.51, 333.333, 700.53, 1000])
def test_rates_are_kept(tmp_path, backend, fps):
    write_video(tmp_path / 'a.mp4', frames_of(3, (48, 64)), fps)
    assert read_video(tmp_path / 'a.mp4')[1] == pytest.approx(fps, rel=1e-4)


def test_a_video_that_cannot_be_opened_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_files, 'av', None)
    monkeypatch.setattr(OpenCVWriter, 'longest', 9000)
    with pytest.raises(OSError, match='OpenCV cannot open it; look whether the disk'):
        write_video(tmp_path / 'a.mp4', [np.zeros((2, 8192, 3), np.uint8)], 5)
    assert list(tmp_path.iterdir()) == []


def test_unwritable_output_is_named(tmp_path, backend):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'folder.mp4').mkdir()
    for path in (tmp_path / 'file' / 'a.mp4', tmp_path / 'folder.mp4'):
        with pytest.raises(OSError, match=f'cannot write the video {path}'):
            with open_video_writer(path, 5, (48, 64)):
                pass


@pytest.mark.skipif('pyav' not in BACKENDS, reason='needs PyAV with H.264')
def test_browsers_can_play_it(tmp_path):
    path = tmp_path / 'video.mp4'
    with open_video_writer(path, 5, (47, 63)) as writer:
        for frame in frames_of(6, (47, 63)):
            writer.write(frame)
    with picture_files.av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.codec_context.pix_fmt == 'yuv420p'
        assert (stream.width, stream.height) == (64, 48)
        assert stream.average_rate == 5
        times = [frame.time for frame in container.decode(stream)]
    assert times == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    content = path.read_bytes()
    assert content.index(b'moov') < content.index(b'mdat')


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no device that is always full')
def test_a_video_that_cannot_be_written_leaves_the_one_before(tmp_path, backend, monkeypatch):
    path = tmp_path / 'a.mp4'
    path.write_bytes(b'the video before')
    part = part_path(path)
    part.symlink_to('/dev/full')
    monkeypatch.setattr(picture_files, 'part_path', lambda path: part)
    with pytest.raises(OSError, match='cannot write the video .*a.mp4'):
        with open_video_writer(path, 5, (48, 64)) as writer:
            for frame in frames_of(9, (48, 64)) * 20:
                writer.write(frame)
    assert path.read_bytes() == b'the video before'
    assert [each.name for each in tmp_path.iterdir()] == ['a.mp4']


class Forgetful:
    """OpenCV's writer on a disk that is full after some frames, of which it tells nothing."""

    def __init__(self, *args):
        self.writer, self.left = VIDEO_WRITER(*args), 3

    def __getattr__(self, name):
        return getattr(self.writer, name)

    def write(self, frame):
        self.left -= 1
        if self.left >= 0:
            self.writer.write(frame)


@pytest.mark.parametrize('count, is_whole', [(3, True), (4, False)])
def test_opencv_that_drops_frames_is_noticed(tmp_path, monkeypatch, count, is_whole):
    monkeypatch.setattr(picture_files, 'av', None)
    monkeypatch.setattr(picture_files.cv2, 'VideoWriter', Forgetful)
    monkeypatch.setattr(Forgetful, 'fourcc', VIDEO_WRITER.fourcc, raising=False)
    path = tmp_path / 'a.mp4'
    path.write_bytes(b'the video before')
    told = nullcontext() if is_whole else pytest.raises(OSError, match='a.mp4 .*the disk is full')
    with told:
        write_video(path, frames_of(count, (48, 64)), 5)
    assert (path.read_bytes() != b'the video before') == is_whole
    assert [each.name for each in tmp_path.iterdir()] == ['a.mp4']


def test_a_video_with_a_gap_is_not_kept(tmp_path, backend, monkeypatch):
    frames = frames_of(3, (48, 64))
    with open_video_writer(tmp_path / 'a.mp4', 5, (48, 64)) as writer:
        encode = writer._encode
        writer.write(frames[0])
        monkeypatch.setattr(writer, '_encode', lambda frame: (tmp_path / 'none').read_bytes())
        with pytest.raises(OSError, match='cannot write the video .*a.mp4'):
            writer.write(frames[1])
        monkeypatch.setattr(writer, '_encode', encode)
        writer.write(frames[2])
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_video_is_not_seen(tmp_path, backend):
    path = tmp_path / 'a.mp4'
    with open_video_writer(path, 5, (48, 64)) as writer:
        writer.write(frames_of(1, (48, 64))[0])
        assert not path.exists()
    assert [each.name for each in tmp_path.iterdir()] == ['a.mp4']


@pytest.mark.parametrize('name', ['picture', 'picture.what'])
def test_pictures_without_a_known_suffix(name, tmp_path):
    with pytest.raises(ValueError, match=f'{name} has no suffix of a picture; name it .png'):
        picture_files.write_picture(tmp_path / name, np.zeros((2, 2, 3), np.uint8))


def test_pictures_that_are_too_large_for_their_format(tmp_path):
    with pytest.raises(OSError, match='does not take 1 x 65536 pixels .*; name it .png'):
        picture_files.write_picture(tmp_path / 'a.jpg', np.zeros((1, 65536, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
