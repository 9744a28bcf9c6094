"""Folders and globs of video files: each file is a video."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcico.apis import CiCoInferencer, open_source
from mmcico.apis.media import all_videos, each_video
from mmcico.cli.main import main
from mmcico.formats.read import read_annotations
from mmcico.formats.results import read_results
from mmcico.utils.files import distinct
from mmcico.visualization import open_video_writer


def write_video(path, length, seed=0):
    rng = np.random.default_rng(seed)
    with open_video_writer(path, 10, (40, 72)) as writer:
        for _ in range(length):
            writer.write(rng.integers(0, 256, (40, 72, 3), dtype=np.uint8))


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    """Three videos of 2, 3 and 4 frames, and notes."""
    folder = tmp_path_factory.mktemp('clips')
    for name, length in (('b10.mp4', 4), ('b9.MP4', 3), ('a.mp4', 2)):
        write_video(folder / name.lower(), length)
        (folder / name.lower()).rename(folder / name)
    (folder / 'notes.txt').write_text('neither image nor video')
    return folder


def lengths(out):
    """Frames of all videos, by what was written."""
    entries = json.loads((out / 'results.json').read_text())
    found = {each['video_id']: len(each['segmentations']) for each in entries}
    for name, length in found.items():
        assert len(list((out / 'masks' / name).iterdir())) == length
        shown = cv2.VideoCapture(str(out / 'videos' / f'{name}.mp4'))
        assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == length
    return found


def test_which_videos_are_meant(clips, tmp_path, monkeypatch):
    names = [str(clips / name) for name in ('a.mp4', 'b9.MP4', 'b10.mp4')]
    assert each_video(clips) == each_video(str(clips) + '/') == names
    assert each_video(f'{clips}/b*') == names[1:]
    monkeypatch.chdir(clips)
    assert each_video('*[a0].mp4') == ['a.mp4', 'b10.mp4']
    # everything else is what it was
    frames = [np.zeros((4, 4, 3), np.uint8)]
    (tmp_path / '0.png').write_bytes(b'')
    for source in (
        names[0],
        'missing.mp4',
        0,
        'rtsp://host/*.mp4',
        frames,
        tmp_path,
        f'{tmp_path}/*.png',
    ):
        (found,) = each_video(source)
        assert found is source


def test_which_lists_of_images_are_one_video(tmp_path):
    small = [Image.new('RGB', (4, 4), value) for value in ('red', 'green')]
    paths = [str(tmp_path / name) for name in ('a.png', 'b.png', 'stack.tif')]
    for path in paths[:2]:
        small[0].save(path)
    small[0].save(paths[2], save_all=True, append_images=small[1:])
    frames = [np.zeros((4, 4, 3), np.uint8)]
    for one in (paths[:2], ['missing.png', *paths[:1]], frames):
        assert all_videos(one) == [one]
    for several in (paths[:1], paths[2:], paths[1:], ['missing.png'], [frames, paths[0]]):
        assert all_videos(several) == several
    assert all_videos(paths[2]) == paths[2:]
    with pytest.raises(ValueError, match='no video in the list of inputs'):
        all_videos([])


def test_an_image_and_a_stack_are_named_after_their_files(small, tmp_path):
    inferencer = CiCoInferencer(*small, device='cpu', show_progress=False)
    picture, stack = tmp_path / 'photo.png', tmp_path / 'stack.tif'
    pages = [Image.new('RGB', (72, 40), value) for value in ('red', 'green')]
    pages[0].save(picture)
    pages[0].save(stack, save_all=True, append_images=pages[1:])
    found = inferencer([str(picture)])['predictions'] + inferencer([str(stack)])['predictions']
    assert [each['name'] for each in found] == ['photo', 'stack']


def test_images_and_videos_are_not_mixed(clips, tmp_path):
    for name in ('x.mp4', '1.png', '2.png'):
        (tmp_path / name).write_bytes(b'')
    message = (
        r'the folder .* mixes images \(2, such as 1.png\) and videos '
        r'\(1, such as x.mp4\).*/\*.png" or ".*/\*.mp4"'
    )
    for function in (each_video, open_source):
        with pytest.raises(ValueError, match=message):
            function(tmp_path)
        with pytest.raises(ValueError, match='the glob .* mixes'):
            function(str(tmp_path / '*'))
        with pytest.raises(ValueError, match='holds no image .* and no video'):
            function(str(tmp_path / '*.txt'))
    assert each_video(f'{tmp_path}/*.mp4') == [f'{tmp_path}/x.mp4']


def test_a_stream_is_of_one(clips):
    source = open_source(f'{clips}/b9*')
    assert (source.name, source.length) == ('b9', 3)
    with pytest.raises(ValueError, match='holds 3 videos, such as a.mp4'):
        open_source(clips)


def test_all_files_of_a_folder_are_videos(small, clips, tmp_path):
    inferencer = CiCoInferencer(*small, device='cpu', show_progress=False)
    out = inferencer(str(clips), out_dir=str(tmp_path))
    assert [each['name'] for each in out['predictions']] == ['a', 'b9', 'b10']
    assert lengths(tmp_path) == dict(a=2, b9=3, b10=4)
    # once more, beside other sources: names differ
    frames = [np.zeros((40, 72, 3), np.uint8)]
    out = inferencer([f'{clips}/a.*', frames, str(clips / 'a.mp4')])
    assert [each['name'] for each in out['predictions']] == ['a', 'frames', 'a_2']


def test_names_differ_where_case_does_not_count():
    seen = {}
    assert [distinct(name, seen) for name in ('Cat', 'cat', 'CAT_2', 'cat')] == [
        'Cat',
        'cat_2',
        'CAT_2_2',
        'cat_3',
    ]


def test_a_glob_on_the_command_line(small, clips, tmp_path, capsys):
    options = [
        '--model',
        small[0],
        '--weights',
        small[1],
        '--device',
        'cpu',
        '--quiet',
        '--out',
        str(tmp_path / 'out'),
    ]
    assert main(['predict', f'{clips}/b*', *options]) == 0
    assert lengths(tmp_path / 'out') == dict(b9=3, b10=4)
    # one that cannot be opened is told before the model is built
    (tmp_path / 'good.mp4').write_bytes((clips / 'a.mp4').read_bytes())
    (tmp_path / 'spoilt.mp4').write_bytes(b'no video')
    options[1] = 'no model'
    assert main(['predict', f'{tmp_path}/*.mp4', *options]) == 1
    assert 'spoilt.mp4 is a text file' in capsys.readouterr().err


def test_results_of_folders_can_be_evaluated(small, tmp_path):
    folders, rng = ['b', 'a'], np.random.default_rng(3)
    for name in folders:
        (tmp_path / name).mkdir()
        for t in range(3):
            image = rng.integers(0, 256, (40, 72, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / name / f'{t}.png'), image)
    inferencer = CiCoInferencer(*small, device='cpu', show_progress=False)
    inferencer([str(tmp_path / name) for name in folders], str(tmp_path / 'out'), 'json')
    names = [
        {'id': key, 'name': name} for key, name in zip(inferencer.category_ids, inferencer.classes)
    ]
    videos = [
        dict(
            id=key, height=40, width=72, length=3, file_names=[f'{name}/{t}.png' for t in range(3)]
        )
        for key, name in ((7, 'a'), (9, 'b'))
    ]
    truth = read_annotations(dict(videos=videos, categories=names, annotations=None))
    found = read_results(tmp_path / 'out' / 'results.json', truth)
    assert {track.video for track in found.tracks} == {0, 1}
