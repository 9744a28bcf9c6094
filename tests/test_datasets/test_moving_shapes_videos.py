"""Whole generated videos and the files of a generated data set."""

import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from tool_runs import run_without, tool_module

from mmcico.datasets.moving_shapes import (
    SHAPE_CLASSES,
    SceneConfig,
    generate_video,
    make_config,
    write_dataset,
)
from mmcico.datasets.moving_shapes.generate import track_annotation
from mmcico.utils.files import MARK

HARD = make_config('hard', num_frames=6, objects=(3, 5))


def test_video_depends_on_seed_and_index_only():
    frames, tracks = generate_video(3, 5, HARD)
    again, same_tracks = generate_video(3, 5, HARD)
    assert np.array_equal(frames, again)
    assert len(tracks) == len(same_tracks) > 0
    for one, two in zip(tracks, same_tracks):
        assert one.label == two.label
        assert np.array_equal(one.masks, two.masks)
    for seed, index in ((3, 6), (4, 5)):
        assert not np.array_equal(frames, generate_video(seed, index, HARD)[0])


@pytest.mark.parametrize('index', range(4))
def test_video_is_consistent(index):
    frames, tracks = generate_video(0, index, HARD)
    assert frames.shape == (6, 96, 160, 3) and frames.dtype == np.uint8
    assert frames.std() > 10
    assert 1 <= len(tracks) <= 5
    masks = np.stack([track.masks for track in tracks])
    assert masks.sum(axis=0).max() == 1  # modal: no pixel has two owners
    for track in tracks:
        seen = track.masks.sum(axis=(1, 2))
        assert (seen[track.present] >= HARD.min_visible).all()
        assert (seen[~track.present] == 0).all()
        hidden = track.hidden[track.present]
        assert ((hidden >= 0) & (hidden < 1)).all()


def test_neighbouring_frames_overlap():
    config = make_config('easy', objects=(1, 1))
    overlaps = []
    for index in range(8):
        for track in generate_video(1, index, config)[1]:
            now, then = track.masks[:-1], track.masks[1:]
            both = (now & then).sum((1, 2))
            overlaps += (both / (now | then).sum((1, 2)).clip(1)).tolist()
    assert np.median(overlaps) > 0.6


def test_difficulty_adds_occlusion_and_blur():
    hidden, sharpness = {}, {}
    for level in ('easy', 'hard'):
        config = make_config(level, objects=(4, 4))
        videos = [generate_video(2, index, config) for index in range(12)]
        shares = [t.hidden[t.present] for _, tracks in videos for t in tracks]
        hidden[level] = np.concatenate(shares).mean()
        sharpness[level] = np.mean(
            [cv2.Laplacian(f, cv2.CV_64F).var() for v, _ in videos for f in v]
        )
    assert hidden['hard'] > 1.5 * hidden['easy']
    assert sharpness['hard'] < 0.8 * sharpness['easy']


def test_one_frame_and_no_object():
    frames, tracks = generate_video(0, 0, SceneConfig(num_frames=1, size=(40, 60), objects=(0, 0)))
    assert frames.shape == (1, 40, 60, 3)
    assert tracks == []


@pytest.mark.parametrize(
    'values, name',
    [
        (dict(num_frames=0), 'num_frames'),
        (dict(size=(96, 16)), 'size'),
        (dict(num_classes=13), 'num_classes'),
        (dict(objects=(3, 2)), 'objects'),
        (dict(motion=1.5), 'motion'),
        (dict(camera=-0.1), 'camera'),
        (dict(difficulty='extreme'), 'difficulty'),
    ],
)
def test_bad_settings_are_named(values, name):
    with pytest.raises(ValueError, match=f'moving shapes: {name} is'):
        make_config(**values)


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp('shapes')
    config = make_config('hard', num_frames=6, num_classes=5)
    return write_dataset(out, 5, seed=1, config=config), config


def test_file_describes_the_videos(dataset):
    path, config = dataset
    content = json.loads(path.read_text())
    names = [kind.name for kind in SHAPE_CLASSES[:5]]
    assert [c['name'] for c in content['categories']] == names
    assert [c['id'] for c in content['categories']] == [1, 2, 3, 4, 5]
    assert [v['id'] for v in content['videos']] == [1, 2, 3, 4, 5]
    ids = [a['id'] for a in content['annotations']]
    assert ids == list(range(1, len(ids) + 1))
    for video in content['videos']:
        frames, tracks = generate_video(1, video['id'] - 1, config)
        mine = [a for a in content['annotations'] if a['video_id'] == video['id']]
        assert len(mine) == len(tracks)
        assert video['length'] == len(video['file_names']) == 6
        last = cv2.imread(str(path.parent / 'JPEGImages' / video['file_names'][-1]))
        assert np.abs(last.astype(int) - frames[-1]).mean() < 4


def test_annotations_agree_with_their_masks(dataset):
    content = json.loads(dataset[0].read_text())
    assert content['annotations']
    for entry in content['annotations']:
        assert (entry['height'], entry['width'], entry['length'], entry['iscrowd']) == (
            96,
            160,
            6,
            0,
        )
        rows = zip(entry['segmentations'], entry['bboxes'], entry['areas'], entry['occlusion'])
        for rle, box, area, word in rows:
            if rle is None:
                assert (box, area, word) == (None, None, None)
                continue
            assert isinstance(rle['counts'], str) and rle['size'] == [96, 160]
            mask = mask_utils.decode(rle)
            assert area == mask.sum() == mask_utils.area(rle)
            assert box == mask_utils.toBbox(rle).tolist()
            rows, cols = np.nonzero(mask)
            ends = cols.max() + 1, rows.max() + 1
            assert box == [cols.min(), rows.min(), ends[0] - cols.min(), ends[1] - rows.min()]
            assert word in ('no_occlusion', 'slight_occlusion', 'severe_occlusion')


def test_frames_load_as_coco(dataset, tmp_path):
    content = json.loads(dataset[0].read_text())
    video = content['videos'][0]
    images = [
        dict(id=t, file_name=name, height=96, width=160)
        for t, name in enumerate(video['file_names'])
    ]
    entries = []
    for track in content['annotations']:
        if track['video_id'] != 1:
            continue
        for t, rle in enumerate(track['segmentations']):
            if rle is not None:
                entries.append(
                    dict(
                        id=len(entries) + 1,
                        image_id=t,
                        category_id=track['category_id'],
                        segmentation=rle,
                        bbox=track['bboxes'][t],
                        area=track['areas'][t],
                        iscrowd=0,
                    )
                )
    path = tmp_path / 'frames.json'
    path.write_text(
        json.dumps(dict(images=images, annotations=entries, categories=content['categories']))
    )
    coco = COCO(str(path))
    assert len(coco.anns) == len(entries) > 0
    for entry in coco.anns.values():
        assert coco.annToMask(entry).sum() == entry['area']


def test_more_videos_change_nothing(dataset, tmp_path):
    path, config = dataset
    seen = []
    other = write_dataset(tmp_path, 6, seed=1, config=config, progress=seen.append)
    few, many = json.loads(path.read_text()), json.loads(other.read_text())
    assert many['videos'][:5] == few['videos']
    count = len(few['annotations'])
    assert many['annotations'][:count] == few['annotations']
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_workers_change_nothing(dataset, tmp_path):
    path, config = dataset
    other = write_dataset(tmp_path, 5, seed=1, config=config, workers=2)
    names = [p.relative_to(path.parent) for p in path.parent.rglob('*.j*')]
    assert len(names) == 1 + 5 * 6
    for name in names:
        assert (path.parent / name).read_bytes() == (other.parent / name).read_bytes()


def test_golden_masks():
    """The same on every machine; a change here makes all results old."""
    _, tracks = generate_video(0, 0, SceneConfig())
    entries = [track_annotation(track) for track in tracks]
    found = [(e['category_id'], e['areas'][0], e['areas'][-1]) for e in entries]
    assert found == [(3, 130, 170), (3, 71, 529), (2, 246, 1005), (2, 638, 584)]


def test_negative_numbers_are_refused(tmp_path):
    with pytest.raises(ValueError, match='num_videos is -1'):
        write_dataset(tmp_path, -1)


@pytest.mark.parametrize('name', ['instances.json', 'JPEGImages/00000/00000.jpg'])
def test_other_data_is_not_replaced(tmp_path, capsys, name):
    config = make_config('easy', num_frames=1)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text('mine')
    with pytest.raises(ValueError, match=f'{name[:8]}.* exists and would be replaced'):
        write_dataset(tmp_path, 1, config=config)
    assert (tmp_path / name).read_text() == 'mine'
    assert len([*tmp_path.rglob('*.*')]) == 1
    # what an interrupted run has left is replaced
    folder = tmp_path / 'new'
    shown = write_dataset(folder, 2, config=config).read_bytes()
    (folder / 'instances.json').unlink()
    assert write_dataset(folder, 2, config=config).read_bytes() == shown
    # and what a version without marks has written
    (folder / MARK).unlink()
    assert write_dataset(folder, 2, config=config).read_bytes() == shown


def test_tool_takes_levels_over_the_difficulty(tmp_path, capsys):
    tool = tool_module('dataset_tools/make_moving_shapes.py')
    tool.main(
        [
            '--out',
            f'{tmp_path}',
            '--num-videos',
            '2',
            '--num-frames',
            '2',
            '--size',
            '40',
            '60',
            '--num-classes',
            '3',
            '--objects',
            '1',
            '2',
            '--seed',
            '9',
            '--workers',
            '0',
            '--difficulty',
            'hard',
            '--blur',
            '0',
        ]
    )
    assert capsys.readouterr().out.strip() == f'{tmp_path / "instances.json"}'
    config = make_config(
        'hard', num_frames=2, size=(40, 60), num_classes=3, objects=(1, 2), blur=0.0
    )
    same = write_dataset(tmp_path / 'same', 2, seed=9, config=config)
    assert same.read_bytes() == (tmp_path / 'instances.json').read_bytes()


def test_tool_refuses_numbers_out_of_range(tmp_path):
    done = run_without(
        tmp_path, 'dataset_tools/make_moving_shapes.py', '--out', 'x', '--blur', '2', hidden=()
    )
    assert done.returncode == 2 and 'blur is 2' in done.stderr
    assert not (tmp_path / 'x').exists()
