"""tools/dataset_tools/convert.py, without any OpenMMLab package."""

import json
import shutil

import cv2
import numpy as np
from tool_runs import run_without, tool_module

CAT = np.zeros((8, 12), np.uint8)
CAT[2:5, 3:7] = 1


def convert(folder, *args):
    return run_without(folder, 'dataset_tools/convert.py', *args)


def frames(folder, video='v'):
    for kind, image, suffix in (
        ('JPEGImages', np.dstack([CAT] * 3), 'jpg'),
        ('Annotations', CAT, 'png'),
    ):
        (folder / kind / video).mkdir(parents=True)
        for t in range(2):
            cv2.imwrite(str(folder / kind / video / f'{t}.{suffix}'), image)


def load(path):
    return json.loads(path.read_text())


def test_masks_there_and_back(tmp_path):
    frames(tmp_path)
    done = convert(
        tmp_path,
        'masks',
        'JPEGImages',
        'Annotations',
        '--class-name',
        'Cat',
        '--target',
        '2019',
        '--out',
        'new/vis.json',
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'new/vis.json\n'
    assert 'kept: 1 videos, 2 frames, 1 objects, 40 classes' in done.stderr
    vis = load(tmp_path / 'new/vis.json')
    (track,) = vis['annotations']
    assert (track['category_id'], track['areas']) == (14, [12, 12])
    assert convert(tmp_path, 'to-cocovid', 'new/vis.json', '--out', 'coco.json').returncode == 0
    assert convert(tmp_path, 'cocovid', 'coco.json', '--out', 'back.json').returncode == 0
    back = load(tmp_path / 'back.json')
    for key in ('videos', 'annotations', 'categories'):
        assert back[key] == vis[key]


def test_labelme_and_what_was_left_out(tmp_path):
    frames(tmp_path)
    folder = tmp_path / 'JPEGImages' / 'v'
    points = [[1, 1], [5, 1], [5, 5], [1, 5]]
    shapes = [dict(label=name, group_id=i, points=points) for i, name in enumerate(['cat', 'wolf'])]
    (folder / '0.json').write_text(json.dumps(dict(shapes=shapes)))
    done = convert(
        tmp_path, 'labelme', 'JPEGImages', '--class-map', 'wolf=', 'lion=cat', '--out', 'x.json'
    )
    assert done.returncode == 0, done.stderr
    assert "left out: 1 objects of the class 'wolf'" in done.stderr
    assert 'left out: 1 frames without annotation file' in done.stderr
    assert "warning: the source has no class ['lion']" in done.stderr
    data = load(tmp_path / 'x.json')
    assert [c['name'] for c in data['categories']] == ['cat']
    assert data['videos'][0]['file_names'] == ['v/0.jpg']


def test_a_list_of_videos_with_the_mark_of_notepad(tmp_path):
    frames(tmp_path)
    (tmp_path / 'names.txt').write_bytes(b'\xef\xbb\xbfv\r\n\r\n')
    folders = ('JPEGImages', 'Annotations')
    done = convert(tmp_path, 'masks', *folders, '--videos', 'names.txt', '--out', 'x.json')
    assert done.returncode == 0, done.stderr


def coco(folder):
    cv2.imwrite(str(folder / 'a.png'), np.dstack([CAT * 255] * 3))
    data = dict(
        images=[dict(id=1, file_name='a.png', height=8, width=12)],
        categories=[dict(id=17, name='cat'), dict(id=44, name='bottle')],
        annotations=[
            dict(id=1, image_id=1, category_id=17, segmentation=[[3, 2, 7, 2, 7, 5, 3, 5]])
        ],
    )
    (folder / 'coco.json').write_text(json.dumps(data))


def test_coco_images_that_move(tmp_path):
    coco(tmp_path)
    args = (
        'coco',
        'coco.json',
        '--frames',
        3,
        '--motion',
        '--images',
        '.',
        '--out-images',
        'moved',
        '--target',
        '2021',
        '--class-map',
        'coco',
        '--drop-unmatched',
        '--out',
    )
    assert convert(tmp_path, *args, 'x.json').returncode == 0
    assert convert(tmp_path, *args, 'y.json').returncode == 0
    data = load(tmp_path / 'x.json')
    assert data == load(tmp_path / 'y.json')
    (video,) = data['videos']
    assert video['length'] == 3
    assert all((tmp_path / 'moved' / n).is_file() for n in video['file_names'])
    (track,) = data['annotations']
    assert track['category_id'] == 6
    # the frame in the middle is the image itself
    assert track['areas'][1] == 12 and track['bboxes'][1] == [3, 2, 4, 3]


def test_coco_objects_without_a_pixel_are_told(tmp_path):
    coco(tmp_path)
    data = load(tmp_path / 'coco.json')
    data['annotations'] = [dict(data['annotations'][0], segmentation=[])]
    (tmp_path / 'coco.json').write_text(json.dumps(data))
    done = convert(tmp_path, 'coco', 'coco.json', '--out', 'x.json')
    assert done.returncode == 0, done.stderr
    assert 'left out: 1 objects that are seen in no frame' in done.stderr
    assert load(tmp_path / 'x.json')['annotations'] == []


def test_errors_end_with_one_and_a_message(tmp_path):
    coco(tmp_path)
    for args, message in (
        (
            ('coco', 'coco.json', '--target', '2019'),
            "coco.json: the target has no class ['bottle']",
        ),
        (('cocovid', 'coco.json'), "coco.json: field 'videos': is missing"),
        (('masks', 'a', 'b'), 'b is no folder'),
    ):
        done = convert(tmp_path, *args, '--out', 'x.json')
        assert done.returncode == 1
        assert message in done.stderr and 'Traceback' not in done.stderr
        assert not (tmp_path / 'x.json').exists()


def test_wrong_usage_ends_with_two(tmp_path):
    for args, message in (
        (('coco', 'coco.json', '--motion'), '--motion needs --images'),
        (('coco', 'coco.json', '--frames', '0'), '--frames: 0 is not'),
        (('masks', 'a', 'b', '--step', '0'), '--step: 0 is not'),
        (('cocovid', './x.json'), '--out x.json is a file to be read'),
        (('cocovid', 'a.json', '--target', './x.json'), '--out x.json is a file to be read'),
        (('masks', 'a', 'b', '--object-classes', './x.json'), '--out x.json is a file to be read'),
        (('stills', 'a'), "invalid choice: 'stills'"),
    ):
        done = convert(tmp_path, *args, '--out', 'x.json')
        assert done.returncode == 2 and message in done.stderr


def test_browsing_what_was_converted(tmp_path):
    frames(tmp_path)
    convert(tmp_path, 'masks', 'JPEGImages', 'Annotations', '--out', 'x.json')
    done = run_without(
        tmp_path,
        'dataset_tools/browse.py',
        'x.json',
        '--images',
        'JPEGImages',
        '--out',
        'seen',
        '--sheet',
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'seen' / 'v.png').is_file()
    done = run_without(
        tmp_path, 'dataset_tools/browse.py', 'x.json', '--images', 'nowhere', '--out', 'seen'
    )
    assert done.returncode == 1
    assert 'error: video v: frame "nowhere/v/0.jpg" does not exist' in done.stderr


def test_every_format_there_and_back(tmp_path, monkeypatch, capsys):
    frames(tmp_path)
    monkeypatch.chdir(tmp_path)
    tool = tool_module('dataset_tools/convert.py')
    tool.main(['masks', 'JPEGImages', 'Annotations', '--class-name', 'cat', '--out', 'a.json'])
    wanted = load(tmp_path / 'a.json')
    ways = [
        (['to-tao'], ['cocovid', 'new']),
        (['to-burst'], ['cocovid', 'new']),
        (['to-cvat-coco'], ['cocovid', 'new']),
        (['to-cvat'], ['cvat', 'new', 'JPEGImages']),
        (['to-mots-txt'], ['mots-txt', 'JPEGImages', 'new', '--classes', '1=cat']),
        (['to-masks'], ['masks', 'JPEGImages', 'new', '--class-name', 'cat']),
        (['to-masks', '--mots'], ['masks', 'JPEGImages', 'new', '--mots', '1=cat']),
    ]
    for there, back in ways:
        tool.main([*there, 'a.json', '--out', 'new'])
        if '1=cat' in back:  # the option that reads the classes back is printed
            assert f'read with: {back[-2]} 1=cat\n' in capsys.readouterr().err
        tool.main([*back, '--out', 'b.json'])
        found = load(tmp_path / 'b.json')
        for key in ('videos', 'annotations'):
            assert found[key] == wanted[key], there
        new = tmp_path / 'new'
        shutil.rmtree(new) if new.is_dir() else new.unlink()


def test_what_is_left_out_is_told(tmp_path):
    frames(tmp_path)
    mask = np.full((8, 12), 255, np.uint8)
    mask[0, 0] = 3
    cv2.imwrite(str(tmp_path / 'Annotations/v/1.png'), mask)
    (tmp_path / 'classes.json').write_text('{"v": {"1": "cat", "9": "dog"}}')
    options = ('--object-classes', 'classes.json', '--out', 'x.json')
    done = convert(tmp_path, 'masks', 'JPEGImages', 'Annotations', *options)
    assert done.returncode == 0
    assert 'kept: 1 videos, 2 frames, 2 objects, 3 classes' in done.stderr
    assert 'left out: 95 pixels of value 255, which means "not annotated"' in done.stderr
    assert "1 of 2 entries match no object, the first is video 'v', object 9" in done.stderr
