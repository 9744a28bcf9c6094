"""One gate for whatever is given as a video: kind by content, names, damage, orientation."""

import os
import socket
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcico.apis import open_source
from mmcico.apis.media import is_image_file
from mmcico.cli.main import main
from mmcico.testing import write_small_model
from mmcico.visualization import open_video_writer

SIZE = (40, 72)
needs_bytes = pytest.mark.skipif(os.name != 'posix', reason='names are bytes on POSIX systems')


def grey(value, size=SIZE):
    return np.full((*size, 3), value, np.uint8)


def write_video(path, values=(10, 100, 200)):
    with open_video_writer(path, 10, SIZE) as writer:
        for value in values:
            writer.write(grey(value))
    return path


def levels(source):
    return [int(frame.mean().round()) for frame in open_source(source)]


@pytest.mark.parametrize('ending', ['txt', 'nfo', 'ans', 'm3u8', 'srt', 'sdp', 'mpd', 'mp4', ''])
def test_text_is_not_drawn(tmp_path, ending):
    path = tmp_path / f'list.{ending}'
    path.write_text('#EXTM3U\n' + '\n'.join(f'/data/{i}.mp4' for i in range(200)) + '\x1b[31m')
    with pytest.raises(ValueError, match=r'is a text file, not a video.*\$\(cat LIST\)'):
        open_source(path)
    path.write_text('video.mp4\n', encoding='utf-16')
    with pytest.raises(ValueError, match='is a text file'):
        open_source(path)


@pytest.mark.parametrize('ending', ['bin', 'xb', 'yuv', 'rgb', 'pth', 'mp4'])
def test_bytes_are_not_drawn(tmp_path, ending):
    path = tmp_path / f'data.{ending}'
    path.write_bytes(b'XBIN\x1a' + bytes(range(256)) * 2000)
    with pytest.raises(ValueError, match='is not a video of a known kind.*ffmpeg -i'):
        open_source(path)


@pytest.mark.parametrize('place', ['127.0.0.1:9', '127.0.0.1:9/list.TXT?key=secret'])
@pytest.mark.parametrize('user', ['', 'admin:secret@', 'admin:sec/r#e?t@secret@'])
def test_messages_hide_what_addresses_keep_secret(place, user, capfd):
    with pytest.raises(ValueError, match='cannot be opened|is a text file by its name') as error:
        open_source(f'http://{user}{place}')
    assert str(error.value).startswith(f'http://{"***@" * bool(user)}127.0.0.1:9')
    assert 'sec' not in str(error.value)
    if not cv2.__version__.startswith('4.8.'):  # which prints what it cannot open
        assert 'sec' not in ''.join(capfd.readouterr())


@pytest.mark.parametrize(
    'address, name',
    [
        ('rtsp://admin:secret@192.168.1.10', '192.168.1.10'),
        ('rtsp://admin:secret@192.168.1.10:554/', '192.168.1.10'),
        ('http://host/a%20b.mp4?key=a/b.c#t=1.5', 'a b'),
        ('http://admin:secret@host/live.1/image.jpg', 'image'),
        ('udp://@:5000', 'stream'),
    ],
)
def test_names_of_addresses(monkeypatch, address, name):
    def opened(*args):
        assert args == (address, name, True)
        return iter([]), None, None

    monkeypatch.setattr('mmcico.apis.sources.open_capture', opened)
    assert open_source(address).name == name
    assert not is_image_file(address)


def pages(dtype=np.uint8, count=4):
    scale = 256 if dtype == np.uint16 else 1
    return [Image.fromarray(np.full(SIZE, 50 * t * scale, dtype)) for t in range(1, count + 1)]


@pytest.mark.parametrize(
    'name, dtype',
    [('s.tif', np.uint8), ('s.tif', np.uint16), ('s.png', np.uint8), ('s.webp', np.uint8)],
)
def test_all_pages_of_a_stack(tmp_path, name, dtype):
    first, *rest = pages(dtype)
    options = dict(lossless=True) if name.endswith('webp') else {}
    first.save(tmp_path / name, save_all=True, append_images=rest, **options)
    source = open_source(tmp_path / name)
    assert (source.name, source.length) == ('s', 4)
    assert levels(tmp_path / name) == pytest.approx([50, 100, 150, 200], abs=1)


def test_all_frames_of_a_gif(tmp_path):
    first, *rest = pages()
    first.save(tmp_path / 's.gif', save_all=True, append_images=rest, duration=100)
    assert levels(tmp_path / 's.gif') == pytest.approx([50, 100, 150, 200], abs=2)
    assert open_source(tmp_path / 's.gif').fps == 10
    # FFmpeg reads the first frame alone if frames have no duration
    first.save(tmp_path / 't.gif', save_all=True, append_images=rest)
    assert levels(tmp_path / 't.gif') == pytest.approx([50, 100, 150, 200], abs=2)
    assert open_source(tmp_path / 't.gif').fps is None


@pytest.mark.parametrize('name', ['s.gif', 's.png', 's.webp'])
@pytest.mark.parametrize('durations, fps', [(40, 25), ([1700, 100, 100, 100], 2)])
def test_the_speed_of_an_animation_is_that_of_its_pages(tmp_path, name, durations, fps):
    first, *rest = pages()
    first.save(tmp_path / name, save_all=True, append_images=rest, duration=durations)
    assert open_source(tmp_path / name).fps == fps
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 3 // 4])
    with pytest.raises(ValueError, match=r's\.\w+: page [123] cannot be read|not a readable image'):
        levels(tmp_path / name)


@pytest.mark.parametrize('name', ['a.png', 'a.tif', 'colours.png'])
@pytest.mark.parametrize('bits, is_told', [(0, False), (8, True), (12, True), (16, False)])
def test_12_bits_in_16_are_told(tmp_path, monkeypatch, name, bits, is_told):
    told = []
    monkeypatch.setattr('mmcico.apis.sources.print_log', lambda text, **more: told.append(text))
    highest, path = 2**bits - 1, tmp_path / name
    if name == 'colours.png':
        cv2.imwrite(str(path), np.full((*SIZE, 3), highest, np.uint16))
    else:
        first, *rest = [Image.fromarray(np.full(SIZE, highest, np.uint16)) for _ in range(2)]
        more = dict(save_all=True, append_images=rest) if name.endswith('tif') else {}
        first.save(path, **more)
    assert levels(path)[0] == highest >> 8
    start = f'{path} has 16 bits a channel, of which the upper 8 are used, and the brightest is '
    assert [text.startswith(f'{start}{highest} of 65535') for text in told] == [True] * is_told


def test_stacks_that_cannot_be_read(tmp_path):
    first, *rest = (Image.fromarray(np.full(SIZE, t, np.float32)) for t in range(3))
    first.save(tmp_path / 'float.tif', save_all=True, append_images=rest)
    with pytest.raises(ValueError, match='page 0 has pixels of 32 bits'):
        levels(tmp_path / 'float.tif')
    first, *rest = pages()
    (tmp_path / 'folder').mkdir()
    first.save(tmp_path / 'folder' / '0.png')
    first.save(tmp_path / 'folder' / '1.tif', save_all=True, append_images=rest)
    with pytest.raises(ValueError, match='1.tif has 4 pages.*give it alone'):
        levels(tmp_path / 'folder')
    # one page is a frame like any other
    first.save(tmp_path / 'folder' / '1.tif')
    assert levels(tmp_path / 'folder') == [50, 50]


def test_previews_in_photos_are_no_pages(tmp_path):
    first, second, *_ = pages()
    for name in ('0.jpg', '1.jpg'):
        photo = dict(format='MPO', save_all=True, append_images=[second.resize((36, 20))])
        first.save(tmp_path / name, **photo)
    assert levels(tmp_path) == [50, 50]
    assert levels(tmp_path / '1.jpg') == [50]


@pytest.mark.parametrize('name', ['a:b.mp4', 'file:c.mp4', 'x%03d.mp4', '-i.mp4', 'a|b [1].mp4'])
def test_names_that_mean_something_to_ffmpeg(tmp_path, monkeypatch, name):
    write_video(tmp_path / 'plain.mp4').rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert levels(name) == pytest.approx([10, 100, 200], abs=8)


@needs_bytes
def test_names_that_are_not_utf8(tmp_path):
    name = os.fsdecode(b'caf\xe9')
    write_video(tmp_path / 'plain.mp4').rename(tmp_path / f'{name}.mp4')
    small = write_small_model(tmp_path)
    options = ['--model', small[0], '--weights', str(small[1]), '--device', 'cpu']
    out = tmp_path / 'out'
    assert main(['predict', f'{tmp_path}/{name}.mp4', *options, '--out', str(out)]) == 0
    assert (out / 'videos' / 'caf_.mp4').stat().st_size > 0
    assert len(list((out / 'masks' / 'caf_').iterdir())) == 3
    folder = tmp_path / name
    folder.mkdir()
    cv2.imwrite(str(tmp_path / '0.png'), grey(7))
    (tmp_path / '0.png').rename(folder / f'{name}.png')
    assert levels(folder) == levels(folder / f'{name}.png') == [7]
    # libraries in C cannot write there
    assert main(['predict', str(folder), *options, '--out', str(tmp_path / f'{name}2')]) == 1


@needs_bytes
def test_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / 'pipe.mp4')
    (tmp_path / 'gone.mp4').symlink_to(tmp_path / 'nothing')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / 's.mp4'))
    for path, message in [
        (tmp_path / 'pipe.mp4', r'is a pipe \(FIFO\)'),
        (tmp_path / 's.mp4', 'is a socket'),
        ('/dev/zero', 'is a device'),
        (tmp_path / 'gone.mp4', 'does not exist'),
    ]:
        with pytest.raises(ValueError, match=message):
            open_source(path)
    folder = tmp_path / 'frames'
    folder.mkdir()
    cv2.imwrite(str(folder / '0.png'), grey(0))
    os.mkfifo(folder / '1.png')
    with pytest.raises(ValueError, match=r'1.png is a pipe \(FIFO\), not a regular'):
        levels(folder)
    (folder / '1.png').unlink()
    (folder / '1.png').mkdir()
    with pytest.raises(ValueError, match='1.png is a folder, not a regular file'):
        levels(folder)


def test_addresses_of_files(tmp_path):
    write_video(tmp_path / 'a b.mp4')
    assert open_source((tmp_path / 'a b.mp4').as_uri()).length == 3
    with pytest.raises(ValueError, match='does not exist'):
        open_source('file:///nowhere/a.mp4')


def key_frames(path, count):
    """A video of key frames alone, and the places of their packets."""
    av = pytest.importorskip('av')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.height, stream.width, stream.pix_fmt = *SIZE, 'yuv420p'
        stream.options = dict(g='1', bf='0')
        for t in range(count):
            frame = av.VideoFrame.from_ndarray(grey(20 + 20 * t), format='bgr24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


@pytest.mark.parametrize('broken', [[4], [3, 4, 6], [0, 1], [8, 9], [2, 9]])
def test_frames_after_damage_keep_their_numbers(tmp_path, broken, monkeypatch):
    path = tmp_path / 'a.mp4'
    places = key_frames(path, 10)
    content = bytearray(path.read_bytes())
    for t in broken:
        start, size = places[t]
        content[start : start + size] = bytes(size)
    path.write_bytes(content)
    said = []
    monkeypatch.setattr('mmcico.apis.captures.print_log', lambda text, **_: said.append(text))
    found = levels(path)
    sound = [t for t in range(10) if t not in broken]
    assert [found[t] for t in sound] == pytest.approx([20 + 20 * t for t in sound], abs=6)
    at_end = [t for t in broken if t > sound[-1]]
    middle = [t for t in broken if t < sound[-1]]
    assert len(found) == 10 - len(at_end)
    text = '\n'.join(said)
    assert (f'{len(middle)} damaged frames ({", ".join(map(str, middle))})' in text) == bool(middle)
    assert (f'a: {len(found)} of 10 frames could be read' in text) == bool(at_end)


ROTATIONS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


@pytest.mark.parametrize('angle', ROTATIONS)
def test_frames_are_upright(tmp_path, angle):
    path = tmp_path / 'a.mp4'
    image = grey(0)
    image[:, :20] = 255  # the left side is bright
    with open_video_writer(path, 10, SIZE) as writer:
        writer.write(image)
    content = bytearray(path.read_bytes())
    # the matrix of the track's header: 44 bytes after its name
    at = content.index(b'tkhd') + 44
    a, b, c, d = (65536 * value for value in ROTATIONS[angle])
    content[at : at + 36] = struct.pack('>9i', a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
    (frame,) = open_source(path)
    expected = np.rot90(image, -angle // 90)
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 20


def test_videos_of_too_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr('mmcico.utils.image_reading.MAX_PIXELS', 1000)
    with pytest.raises(ValueError, match='a.mp4 has 72 x 40 pixels .*more than 1,000'):
        open_source(write_video(tmp_path / 'a.mp4'))
    cv2.imwrite(str(tmp_path / 'a.png'), grey(0))
    with pytest.raises(ValueError, match='a.png has 72 x 40 pixels'):
        levels(tmp_path / 'a.png')
