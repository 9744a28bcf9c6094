"""Files to overlays, and the tool that draws them."""

import json

import cv2
import numpy as np
import pytest
from tool_runs import tool_module
from video_files import read_video

from mmcico.cli.main import main
from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.formats.read import read_annotations
from mmcico.visualization.draw import mask_box, track_colour
from mmcico.visualization.overlay_files import annotation_overlays, load_overlays
from mmcico.visualization.overlays import frame_objects, overlay_frames
from mmcico.visualization.style import DrawStyle

PLAIN = DrawStyle(opacity=1.0, labels=False, min_side=1)


@pytest.fixture(scope='module')
def tool():
    return tool_module('visualize_results.py')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Three videos of three frames, and the truth as results."""
    root = tmp_path_factory.mktemp('data')
    config = make_config('easy', num_frames=3, size=(48, 64), objects=(2, 2))
    annotations = write_dataset(root, 3, seed=4, config=config)
    content = json.loads(annotations.read_text())
    results = [
        dict(
            video_id=track['video_id'],
            category_id=track['category_id'],
            score=0.9 if index % 2 == 0 else 0.2,
            segmentations=track['segmentations'],
        )
        for index, track in enumerate(content['annotations'])
    ]
    (root / 'results.json').write_text(json.dumps(results))
    return root, content


def changed(data, tmp_path, **fields):
    """The annotation file with other fields."""
    path = tmp_path / 'changed.json'
    path.write_text(json.dumps({**data[1], **fields}))
    return path


def test_ground_truth_is_drawn_where_its_boxes_are(data):
    root, content = data
    overlays = load_overlays(root / 'instances.json')
    assert [each.name for each in overlays] == ['00000', '00001', '00002']
    boxes = [track['bboxes'][1] for track in content['annotations'] if track['video_id'] == 1]
    ((title, tracks),) = overlays[0].panels
    assert title == 'ground truth'
    found = []
    for item in frame_objects(tracks, 1, (48, 64)):
        x0, y0, x1, y1 = mask_box(item.mask)
        found.append([x0, y0, x1 - x0 + 1, y1 - y0 + 1])
        assert item.score is None
    # tracks may be in another order than in the file
    assert sorted(found) == sorted(box for box in boxes if box)


def test_frames_are_painted_inside_masks_only(data):
    root, _ = data
    overlay = load_overlays(root / 'instances.json')[0]
    frames = list(overlay_frames(overlay, root / 'JPEGImages', PLAIN))
    assert len(frames) == 3
    for index, (name, frame) in enumerate(zip(overlay.file_names, frames)):
        image = cv2.imread(str(root / 'JPEGImages' / name))
        rest = np.ones((48, 64), bool)
        for item in frame_objects(overlay.panels[0][1], index, (48, 64)):
            assert (frame[item.mask] == track_colour(item.track_id)).all()
            rest &= ~item.mask
        assert (frame[rest] == image[rest]).all()


def test_scores_decide_what_is_drawn(data):
    root, content = data
    args = root / 'instances.json', root / 'results.json'

    def count(**kwargs):
        return sum(len(each.panels[0][1]) for each in load_overlays(*args, **kwargs))

    total = len(content['annotations'])
    assert count(score_thr=0.0) == total
    assert count(score_thr=0.3) == (total + 1) // 2
    assert count(score_thr=0.95) == 0


def test_the_best_result_lies_above(data, tmp_path):
    root, content = data
    track = content['annotations'][0]
    results = [
        dict(
            video_id=track['video_id'],
            category_id=track['category_id'],
            score=score,
            segmentations=track['segmentations'],
        )
        for score in (0.5, 0.9, 0.4)
    ]
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(results))
    ((_, tracks),) = load_overlays(root / 'instances.json', path)[0].panels
    assert [each.score for each in tracks] == [0.4, 0.5, 0.9]


def test_an_ambiguous_video_of_the_results_is_warned_of(data, tmp_path):
    root, content = data
    # the folder of the second video is the id of the first
    videos = [dict(video, file_names=list(video['file_names'])) for video in content['videos']]
    videos[1]['file_names'] = [f'1/{name.split("/")[-1]}' for name in videos[1]['file_names']]
    results = json.loads((root / 'results.json').read_text())
    path = tmp_path / 'results.json'
    path.write_text(json.dumps([dict(track, video_id='1') for track in results[:1]]))
    with pytest.warns(UserWarning, match='the folder of a video; it is the number of another'):
        overlays = load_overlays(changed(data, tmp_path, videos=videos), path)
    assert [len(each.panels[0][1]) for each in overlays] == [0, 1, 0]


def test_side_by_side_shows_both(data):
    root, _ = data
    overlay = load_overlays(
        root / 'instances.json', root / 'results.json', score_thr=0.95, side_by_side=True
    )[0]
    titles = [title for title, _ in overlay.panels]
    assert titles == ['results', 'ground truth']
    frame = next(overlay_frames(overlay, root / 'JPEGImages', PLAIN))
    assert frame.shape == (48, 128, 3)
    image = cv2.imread(str(root / 'JPEGImages' / overlay.file_names[0]))
    # above the titles: nothing is drawn on the left, objects on the right
    assert (frame[:24, :64] == image[:24]).all()
    masks = [item.mask for item in frame_objects(overlay.panels[1][1], 0, (48, 64))]
    drawn = np.any(masks, axis=0)
    assert (frame[:, 64:][drawn] != image[drawn]).any()


def test_small_frames_are_enlarged(data):
    root, _ = data
    overlay = load_overlays(root / 'instances.json')[1]
    style = DrawStyle(min_side=100)
    frame = next(overlay_frames(overlay, root / 'JPEGImages', style))
    assert frame.shape == (144, 192, 3)


def test_videos_in_one_folder_have_names_of_their_own(data, tmp_path):
    videos = [dict(video, file_names=['all/0.jpg'] * 3) for video in data[1]['videos']]
    overlays = load_overlays(changed(data, tmp_path, videos=videos))
    assert [each.name for each in overlays] == ['video_1', 'video_2', 'video_3']


@pytest.mark.parametrize(
    'folders, ids, names',
    [
        (
            ['', '', ''],
            ['/../../../out', 'a', 'A'],
            ['video__.._.._.._out', 'video_a', 'video_A_2'],
        ),
        (['../x/', 'video_7/', ''], [1, 2, 7], ['_x', 'video_7', 'video_7_2']),
        (['one/', 'folder' * 20 + '/' + 'in' * 99 + '/', ''], [1, 2, 3], None),
    ],
)
def test_names_of_files_differ_and_stay_in_the_folder(data, tmp_path, folders, ids, names):
    videos = [
        dict(video, id=key, file_names=[f'{folder}{t}.jpg' for t in range(3)])
        for video, key, folder in zip(data[1]['videos'], ids, folders)
    ]
    path = changed(data, tmp_path, videos=videos, annotations=[])
    found = [each.name for each in annotation_overlays(read_annotations(path))]
    if names is None:
        names = ['one', ('folder' * 20 + '_' + 'in' * 99)[:200], 'video_3']
    assert found == names


def test_nothing_to_draw_is_said(data, tmp_path):
    path = changed(data, tmp_path, annotations=None)
    with pytest.raises(ValueError, match='no annotations to draw'):
        load_overlays(path)
    overlays = load_overlays(path, data[0] / 'results.json')
    assert len(overlays) == 3


def test_file_names_of_the_wrong_number_are_named(data, tmp_path):
    videos = [dict(video, file_names=video['file_names'][:2]) for video in data[1]['videos']]
    with pytest.raises(ValueError, match="video 1, field 'length' = 3: the video has 2 file_names"):
        load_overlays(changed(data, tmp_path, videos=videos))


@pytest.mark.parametrize(
    'content, words',
    [
        (None, 'does not exist'),
        (b'no picture', 'is not a readable image'),
        ('small', r'is \(10, 10\)'),
    ],
)
def test_bad_frames_are_named(data, tmp_path, content, words):
    overlay = load_overlays(data[0] / 'instances.json')[0]
    path = tmp_path / overlay.file_names[0]
    path.parent.mkdir(parents=True)
    if content == 'small':
        cv2.imwrite(str(path), np.zeros((10, 10, 3), np.uint8))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f'video 00000: frame "?{path}"? {words}'):
        next(overlay_frames(overlay, tmp_path, PLAIN))


def test_names_that_the_locale_lacks_keep_their_hint(data, tmp_path, capsys):
    videos = [dict(each, file_names=['\ud800.jpg'] * each['length']) for each in data[1]['videos']]
    path = str(changed(data, tmp_path, videos=videos))
    for args in (['browse', path, '--out', str(tmp_path)], ['check', path]):
        assert main([*args, '--images', str(tmp_path)]) == 1
        assert 'set PYTHONUTF8=1 in the environment (--debug' in capsys.readouterr().err


def test_tool_writes_videos_and_sheets(data, tmp_path, tool, capsys):
    root, _ = data
    tool.main(
        [
            str(root / 'JPEGImages'),
            str(root / 'instances.json'),
            str(root / 'results.json'),
            '--out',
            str(tmp_path),
            '--side-by-side',
            '--contact-sheet',
            '--min-side',
            '96',
            '--videos',
            '0',
            '00002',
        ]
    )
    shown = capsys.readouterr()
    assert shown.out.strip() == str(tmp_path)
    assert '2/2 videos' in shown.err
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ['00000.mp4', '00000.png', '00002.mp4', '00002.png']
    frames, _ = read_video(tmp_path / '00002.mp4')
    assert [frame.shape for frame in frames] == [(96, 256, 3)] * 3
    sheet = cv2.imread(str(tmp_path / '00000.png'))
    assert sheet.shape == (2 * 96, 2 * 256, 3)  # two columns of pairs


def test_tool_names_unknown_videos(data, tmp_path, tool):
    root, _ = data
    with pytest.raises(ValueError, match='no video 7; it has 3.*00000'):
        tool.main(
            [
                str(root / 'JPEGImages'),
                str(root / 'instances.json'),
                '--out',
                str(tmp_path),
                '--videos',
                '7',
            ]
        )
