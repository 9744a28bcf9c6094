"""Whatever a user calls a video."""

import logging

import cv2
import numpy as np
import pytest

from mmcico.apis import FrameSource, open_source
from mmcico.apis.captures import read_capture
from mmcico.visualization import open_video_writer


def frame(value, size=(24, 32)):
    return np.full((*size, 3), value, dtype=np.uint8)


def write_images(folder, values, ending='.png'):
    folder.mkdir()
    for index, value in enumerate(values):
        cv2.imwrite(str(folder / f'{index}{ending}'), frame(value))
    return folder


def values(source):
    return [int(image[0, 0, 0]) for image in source]


def test_images_of_a_folder_come_in_natural_order(tmp_path):
    folder = write_images(tmp_path / 'clip', range(12))
    (folder / 'notes.txt').write_text('not an image')
    source = open_source(folder)
    assert (source.name, source.length, source.fps) == ('clip', 12, None)
    assert values(source) == list(range(12))  # 2 before 10
    assert values(open_source(str(folder / '1*.png'))) == [1, 10, 11]
    listed = [str(folder / '3.png'), str(folder / '1.png')]
    assert values(open_source(listed)) == [3, 1]
    assert values(open_source(str(folder / '7.png'))) == [7]


def test_names_of_folders(tmp_path, monkeypatch):
    folder = write_images(tmp_path / 'clip.v1', range(2))
    monkeypatch.chdir(folder)
    for source in ('.', './', '*.png', str(folder), str(folder) + '/'):
        assert open_source(source).name == 'clip.v1'
    assert open_source('1.png').name == '1'


def test_a_video_file_knows_its_speed_and_length(tmp_path):
    path = tmp_path / 'a video.mp4'
    with open_video_writer(path, 12.5, (24, 32)) as writer:
        for value in (10, 100, 200):
            writer.write(frame(value))
    source = open_source(path)
    assert (source.name, source.fps, source.length) == ('a video', 12.5, 3)
    assert values(source) == pytest.approx([10, 100, 200], abs=8)


def test_arrays_in_any_container():
    frames = [frame(1), frame(2)]
    assert values(open_source(frames)) == [1, 2]
    assert values(open_source(np.stack(frames), 'mine')) == [1, 2]
    generated = open_source(each for each in frames)
    assert generated.length is None and values(generated) == [1, 2]
    source = FrameSource('x', iter(frames))
    assert open_source(source) is source and values(source) == [1, 2]
    with pytest.raises(ValueError, match='x was read already.*open it again'):
        values(source)


def test_grey_and_transparent_frames_become_bgr():
    grey = np.full((4, 5), 7, dtype=np.uint8)
    with_alpha = np.dstack([frame(9, (4, 5)), np.zeros((4, 5), np.uint8)])
    read = list(open_source([grey, grey[..., None], with_alpha]))
    assert [image.shape for image in read] == [(4, 5, 3)] * 3
    assert [int(image[0, 0, 2]) for image in read] == [7, 7, 9]


@pytest.mark.parametrize(
    'frames, message',
    [
        ([], 'frames has no frame'),
        ([frame(0), frame(0, (8, 8))], r'frame 1 is \(8, 8\).*one size'),
        ([frame(0).astype(float)], 'frame 0 is float64'),
        (['a.txt', 3], 'frame 0 is str'),
        ([np.zeros((2, 2, 2), np.uint8)], r'shape \(2, 2, 2\)'),
        ([np.zeros((0, 4, 3), np.uint8)], r'shape \(0, 4, 3\)'),
    ],
)
def test_frames_that_are_none(frames, message):
    with pytest.raises(ValueError, match=message):
        list(open_source(frames))


def test_sources_that_are_none(tmp_path):
    (tmp_path / 'empty').mkdir()
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'not a video')
    picture = tmp_path / 'broken.png'
    picture.write_bytes(b'not a picture')
    for source, message in [
        (tmp_path / 'missing.mp4', 'does not exist'),
        (tmp_path / 'empty', 'holds no image'),
        (tmp_path / '*.jpg', 'holds no image'),
        (broken, 'broken.mp4 is a text file'),
        (None, 'is not a video'),
    ]:
        with pytest.raises(ValueError, match=message):
            open_source(source)
    with pytest.raises(ValueError, match='is not a readable image'):
        list(open_source(picture))
    with pytest.raises(ValueError, match='gone.png" does not exist'):
        list(open_source([str(tmp_path / 'gone.png')]))


class Capture:
    """A file that says it has five frames and stops after two."""

    released = False

    def __init__(self):
        self.left = [frame(1), frame(2)]

    def read(self):
        return (True, self.left.pop(0)) if self.left else (False, None)

    def release(self):
        self.released = True


def test_a_source_that_ends_early_says_so(caplog):
    capture = Capture()
    with caplog.at_level(logging.WARNING):
        assert len(list(read_capture(capture, 'camera', 5))) == 2
    assert capture.released


class Decoder(Capture):
    """Gives frames that show their time in seconds, and fails at each None."""

    def __init__(self, times):
        self.left = list(times)

    def read(self):
        self.time = self.left.pop(0) if self.left else None
        return self.time is not None, frame(self.time or 0)

    def get(self, what):
        return 1000.0 * self.time


GAP = 'a: 5 of 7 frames could be read; the first gap, after frame 1, is 2 long, and later frames '


@pytest.mark.parametrize(
    'times, found, told',
    [
        # frames from before the damage come after the failures, as with H.264 in MP4
        ([0, 1, None, None, 2, 5, 6], [0, 1, 2, 2, 2, 5, 6], 'a: 2 damaged frames (3, 4) were '),
        # no reading fails: missing frames of Matroska, or a variable rate
        ([0, 1, 4, 5, 8], [0, 1, 4, 5, 8], GAP),
        ([0, 1, 4, 5, 8, 9, 10], [0, 1, 4, 5, 8, 9, 10], None),
        # as many frames are filled in as reading failed
        ([0, None, 2, 3, 5, 6, 7], [0, 0, 2, 3, 5, 6, 7], 'a: 1 damaged frames (1) were '),
        # the first one has a time above 0
        ([2, 3, 4, 5, 6, 7, 8], [2, 3, 4, 5, 6, 7, 8], None),
    ],
)
def test_gaps_are_filled_after_failures_and_else_told(monkeypatch, times, found, told):
    said = []
    monkeypatch.setattr('mmcico.apis.captures.print_log', lambda text, **_: said.append(text))
    assert values(read_capture(Decoder(times), 'a', 7, fps=1.0)) == found
    assert [text.startswith(told) for text in said] == [True] if told else not said
