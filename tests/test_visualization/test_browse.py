"""Annotation files and training clips as pictures, and the tool."""

import cv2
import numpy as np
import pytest
from mmdet.utils import register_all_modules
from tiny_video import as_cocovid, content, pipeline, write_frames, write_json
from tool_runs import tool_module
from video_files import read_video

from mmcico.datasets.vis_dataset import VISDataset
from mmcico.formats.read import read_annotations
from mmcico.visualization.draw import contact_sheet, track_colour
from mmcico.visualization.figures import clip_frames, frame_title, spread
from mmcico.visualization.overlay_files import annotation_overlays
from mmcico.visualization.overlays import titled_frames
from mmcico.visualization.picture_files import write_video
from mmcico.visualization.style import DrawStyle

# eight times as large: titles lie in the two lowest rows
PLAIN = DrawStyle(opacity=1.0, labels=False, min_side=64)
register_all_modules(init_default_scope=True)


def pixel(frame, row, column):
    """Colour of the middle of a pixel of the small frame."""
    return tuple(frame[8 * row + 4, 8 * column + 4].tolist())


def overlays(data, wanted=None):
    return annotation_overlays(read_annotations(data, 'in.json'), wanted)


def texts(overlay):
    return [(t.track_id, t.name) for t in overlay.panels[0][1]]


def test_ids_and_classes_of_the_file():
    first, second = overlays(content())
    assert (first.name, second.name) == ('v7', 'v0')
    assert texts(first) == [(0, 'Giant panda'), (3, 'cat'), (9, 'Vehical crowd')]
    assert texts(second) == [(4, 'Vehical')]


def test_ids_that_are_text_are_written_out():
    data = content()
    data['annotations'][1]['id'] = 'b7'
    assert texts(overlays(data)[0])[1] == (1, '(b7) cat')


def test_cocovid_shows_instance_ids():
    names = texts(overlays(as_cocovid(content()))[0])
    assert sorted(names) == [(0, 'Giant panda'), (3, 'cat'), (9, 'Vehical crowd')]


@pytest.mark.parametrize('annotations', [None, []])
def test_files_without_objects(annotations):
    data = content()
    data['annotations'] = annotations
    assert [texts(each) for each in overlays(data)] == [[], []]


def test_chosen_videos():
    found = overlays(content(), ['0', 'v7'])
    assert [each.name for each in found] == ['v0', 'v7']
    with pytest.raises(
        ValueError,
        match=r'in\.json has no video v8; it has '
        '2, the first ones are v7, v0',
    ):
        overlays(content(), ['v8'])


def test_pixels_of_a_frame(tmp_path):
    write_frames(tmp_path)
    (overlay,) = overlays(content(), ['v7'])
    overlay.panels[0][1].pop()  # without the crowd
    frames = list(titled_frames(overlay, tmp_path / 'img', PLAIN, [1, 4]))
    assert [f.shape for f in frames] == [(64, 96, 3)] * 2
    # frame 1: object 0 at rows 1-3, columns 3-6, inside its outline
    assert pixel(frames[0], 2, 4) == track_colour(0)
    assert pixel(frames[1], 2, 7) == track_colour(0)
    assert abs(pixel(frames[0], 0, 11)[0] - 60) < 8
    with pytest.raises(ValueError, match='does not exist'):
        list(titled_frames(overlay, tmp_path, PLAIN))


@pytest.fixture
def flipped(tmp_path):
    """The query frames of the tiny videos, always flipped."""
    write_frames(tmp_path)
    data = content()
    data['annotations'].pop(2)  # without the crowd
    return VISDataset(
        ann_file=write_json(tmp_path, data),
        data_root=str(tmp_path),
        data_prefix=dict(img='img'),
        pipeline=pipeline(dict(type='RandomFlip', prob=1.0)),
    )


def test_what_the_network_sees(flipped):
    packed = flipped[0]
    frames = clip_frames(packed, flipped.metainfo['classes'], PLAIN)
    assert len(frames) == 3 and frames[0].shape == (64, 96, 3)
    # object 0 of frame 0 was at columns 2-5, is at 6-9 now
    assert pixel(frames[0], 2, 7) == track_colour(0)
    # the right half was 10 brighter, now the left is
    assert pixel(frames[0], 0, 0)[0] - pixel(frames[0], 0, 11)[0] > 4
    sample = packed['data_samples']
    assert [frame_title(sample, frame, t) for t, frame in enumerate(sample)] == [
        'video 7 frame 0, query, flipped horizontal',
        'video 7 frame 1, flipped horizontal',
        'video 7 frame 2, flipped horizontal',
    ]


def test_ignored_objects_and_float_pixels(tmp_path):
    write_frames(tmp_path)
    dataset = VISDataset(
        ann_file=write_json(tmp_path, content()),
        data_root=str(tmp_path),
        data_prefix=dict(img='img'),
        pipeline=pipeline(),
    )
    packed = dataset[0]
    packed['inputs'] = packed['inputs'].float() + 300
    frames = clip_frames(packed, dataset.metainfo['classes'], PLAIN)
    # the crowd is object 2, in the upper left of frame 0; white elsewhere
    assert pixel(frames[0], 0, 1) == track_colour(2)
    assert pixel(frames[0], 4, 0) == (255, 255, 255)


def test_frames_of_different_sizes_side_by_side():
    small, large = np.full((2, 5, 3), 9, np.uint8), np.zeros((4, 3, 3), np.uint8)
    one, two = np.split(contact_sheet([small, large], 2), 2, axis=1)
    assert one.shape == two.shape == (4, 5, 3)
    assert one[:2].min() == 9 and one[2:].max() == 0


def test_places():
    assert spread(10, 4) == [0, 3, 6, 9]
    assert spread(2, 4) == [0, 1]
    assert spread(1, 4) == [0]


def test_a_video_has_all_frames(tmp_path):
    frames = (np.full((16, 16, 3), 60 * t, np.uint8) for t in range(4))
    write_video(tmp_path / 'x' / 'a.mp4', frames, 5)
    levels = [frame.mean() for frame in read_video(tmp_path / 'x' / 'a.mp4')[0]]
    assert levels == pytest.approx([0, 60, 120, 180], abs=6)


@pytest.fixture
def browse():
    """The tool's ``main``."""
    return tool_module('dataset_tools/browse.py').main


def test_tool_on_a_file(browse, tmp_path, capsys):
    write_frames(tmp_path)
    ann = write_json(tmp_path, content())
    common = [ann, '--images', str(tmp_path / 'img'), '--out']
    browse(common + [str(tmp_path / 'sheets'), '--sheet', '--min-side', '64'])
    sheet = cv2.imread(str(tmp_path / 'sheets' / 'v7.png'))
    # five frames of 64 x 96 in rows of four
    assert sheet.shape == (128, 384, 3)
    browse(common + [str(tmp_path / 'videos'), '--videos', '0'])
    assert [p.name for p in (tmp_path / 'videos').iterdir()] == ['v0.mp4']
    assert capsys.readouterr().out.splitlines()[0].endswith('sheets')


CONFIG = """
train_dataloader = dict(dataset=dict(
    type='mmcico.VISDataset', data_root={root!r}, ann_file='instances.json',
    data_prefix=dict(img='img'), pipeline={pipeline!r}))
"""


def test_tool_on_a_config(browse, tmp_path):
    write_frames(tmp_path)
    write_json(tmp_path, content())
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIG.format(root='nowhere', pipeline=pipeline()))
    args = [
        '--config',
        str(path),
        '--cfg-options',
        f'train_dataloader.dataset.data_root={tmp_path}',
        '--num-clips',
        '2',
        '--min-side',
        '64',
        '--out',
    ]
    browse(args + [str(tmp_path / 'out')])
    browse(args + [str(tmp_path / 'again')])
    sheet = cv2.imread(str(tmp_path / 'out' / 'tiny.png'))
    # two clips of three frames of 64 x 96
    assert sheet.shape == (128, 288, 3)
    again = cv2.imread(str(tmp_path / 'again' / 'tiny.png'))
    assert (again == sheet).all()


def test_tool_needs_one_source(browse, capsys):
    for args in (
        ['--out', 'x'],
        ['a.json', '--out', 'x'],
        ['a.json', '--config', 'c.py', '--out', 'x'],
    ):
        with pytest.raises(SystemExit) as end:
            browse(args)
        assert end.value.code == 2
        assert 'annotation file' in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match='c.py" does not exist'):
        browse(['--config', 'c.py', '--out', 'x'])
