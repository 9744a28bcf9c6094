"""Images of COCO as videos."""

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_api
from tiny_video import rle

from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.coco_images import (
    MovingVideo,
    affine,
    coco_videos,
    motion_matrices,
    moved_counts,
    still_video,
)
from mmcico.datasets.converters.collect import collect, converted_data
from mmcico.formats.problems import Problems
from mmcico.formats.rle import decode_masks


def coco():
    """Two images of 8 x 12, one without objects."""
    compressed = mask_api.frPyObjects(rle(4, 6, 2, 2), 8, 12)
    return dict(
        images=[
            dict(id=42, file_name='a.jpg', height=8, width=12),
            dict(id=0, file_name='b.jpg', height=8, width=12),
        ],
        categories=[dict(id=18, name='dog'), dict(id=1, name='person')],
        annotations=[
            dict(
                id=5,
                image_id=42,
                category_id=1,
                iscrowd=0,
                bbox=[2, 1, 4, 3],
                segmentation=[[2, 1, 6, 1, 6, 4, 2, 4]],
            ),
            dict(id=9, image_id=42, category_id=18, iscrowd=1, segmentation=rle(0, 0, 2, 2)),
            dict(
                id=10,
                image_id='42',
                category_id=18,
                segmentation=dict(size=[8, 12], counts=compressed['counts'].decode()),
            ),
        ],
    )


def test_one_frame_videos_by_hand():
    table = ClassTable()
    videos = coco_videos(coco(), 'coco.json', table, still_video)
    file = collect(videos, table, Problems('coco.json'))
    data = json.loads(json.dumps(converted_data(file, table, 'youtube_vis', 'coco')))
    # 0 would be a trap for other tools
    assert [v['id'] for v in data['videos']] == [42, 1]
    assert data['videos'][0]['file_names'] == ['a.jpg']
    assert [
        (a['id'], a['video_id'], a['category_id'], a['iscrowd'], a['areas'], a['bboxes'])
        for a in data['annotations']
    ] == [
        (5, 42, 1, 0, [12], [[2, 1, 4, 3]]),
        (9, 42, 18, 1, [4], [[0, 0, 2, 2]]),
        (10, 42, 18, 0, [4], [[6, 4, 2, 2]]),
    ]
    assert [c['id'] for c in data['categories']] == [18, 1]


def test_the_same_image_several_times():
    videos = list(coco_videos(coco(), 'x', ClassTable(), partial(still_video, num_frames=3)))
    assert videos[0].file_names == ['a.jpg'] * 3
    counts = videos[0].tracks[0].counts
    assert counts == [counts[0]] * 3 and decode_masks(counts, 8, 12).sum() == 36


def test_classes_of_a_target_and_empty_images():
    table = ClassTable({'Person': 1}, drop_unmatched=True)
    videos = list(coco_videos(coco(), 'x', table, still_video, keep_empty=False))
    assert [(v.id, [t.category_id for t in v.tracks]) for v in videos] == [(42, [1])]
    assert table.left_out == {'dog': 2}
    with pytest.raises(
        ValueError,
        match=r'x: the target has no class '
        r"\['dog'\]",
    ):
        list(coco_videos(coco(), 'x', ClassTable({'person': 1}), still_video))


@pytest.mark.parametrize('annotations', [None, []])
def test_no_annotations(annotations):
    data = coco()
    data['annotations'] = annotations
    videos = list(coco_videos(data, 'x', ClassTable(), still_video))
    assert [v.tracks for v in videos] == [[], []]


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(image_id=7), "annotation 9, field 'image_id' = 7: is no id in 'images'"),
        (dict(category_id=2), "annotation 9, field 'category_id' = 2: is no id"),
        (
            dict(segmentation=dict(size=[8, 8], counts=[64])),
            r'image.*|video 42, frame 0 .a\.jpg., annotation 9, field '
            r"'segmentation': the mask has size \[8, 8\]",
        ),
    ],
)
def test_errors_name_the_annotation(change, message):
    data = coco()
    data['annotations'][1].update(change)
    with pytest.raises(ValueError, match=message):
        list(coco_videos(data, 'x', ClassTable(), still_video))


@pytest.mark.parametrize('name', ['/images/a.jpg', '../a.jpg'])
def test_moving_frames_stay_in_their_folder(tmp_path, name):
    data = coco()
    data['images'][0]['file_name'] = name
    unfold = MovingVideo(2, 0, tmp_path, tmp_path / 'out')
    with pytest.raises(ValueError, match=f'x: image {name} lies outside of the folder'):
        next(coco_videos(data, 'x', ClassTable(), unfold))


def test_boxes_alone_and_video_files_are_refused():
    data = coco()
    del data['annotations'][0]['segmentation']
    with pytest.raises(ValueError, match="field 'segmentation': is missing; boxes alone"):
        list(coco_videos(data, 'x', ClassTable(), still_video))
    with pytest.raises(ValueError, match="has the list 'videos'"):
        list(coco_videos(dict(videos=[]), 'x', ClassTable(), still_video))


def test_affine_by_hand():
    # a quarter turn about the centre (5, 3) of 7 x 11, then 2 to the right
    matrix = affine(np.pi / 2, 1.0, (2, 0), (7, 11))
    turned = matrix @ [6, 3, 1]
    assert turned == pytest.approx([7, 4])
    assert affine(0, 2.0, (0, 0), (7, 11)) @ [0, 0, 1] == pytest.approx([-5, -3])
    assert affine(0, 1.0, (0, 0), (7, 11)) == pytest.approx(np.eye(3)[:2])


def test_motion_is_seeded_by_the_name_and_still_in_the_middle():
    first = motion_matrices(3, 'a.jpg', 0, (40, 60))
    assert (first == motion_matrices(3, 'a.jpg', 0, (40, 60))).all()
    assert abs(first - motion_matrices(3, 'b.jpg', 0, (40, 60))).max() > 0.01
    assert abs(first - motion_matrices(3, 'a.jpg', 1, (40, 60))).max() > 0.01
    assert first[1] == pytest.approx(np.eye(3)[:2])
    far = [np.linalg.det(m[:, :2]) for m in first]
    assert 0.8 < min(far) < 1 < max(far) < 1.25
    with pytest.raises(ValueError, match='choose 2 frames or more'):
        MovingVideo(1, 0, Path('in'), Path('out'))


def test_masks_move_as_the_image_does():
    mask = np.zeros((8, 12), np.uint8)
    mask[2:5, 3:7] = 1
    counts = mask_api.encode(np.asfortranarray(mask))['counts']
    still = affine(0, 1.0, (0, 0), (8, 12))
    assert moved_counts(counts, (8, 12), still) == counts
    right = moved_counts(counts, (8, 12), affine(0, 1.0, (2, 1), (8, 12)))
    moved = decode_masks([right], 8, 12)[0]
    assert (moved[3:6, 5:9] == 1).all() and moved.sum() == 12
    gone = affine(0, 1.0, (50, 0), (8, 12))
    assert moved_counts(counts, (8, 12), gone) is None


def moving(folder, out, seed=0):
    """A white box on black, and its video."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:30, 20:40] = 255
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / 'a.png'), image)
    data = dict(
        images=[dict(id=3, file_name='a.png', height=40, width=60)],
        categories=[dict(id=1, name='box')],
        annotations=[
            dict(
                id=1,
                image_id=3,
                category_id=1,
                bbox=[20, 10, 20, 20],
                segmentation=[[20, 10, 40, 10, 40, 30, 20, 30]],
            )
        ],
    )
    unfold = MovingVideo(5, seed, folder, out)
    return list(coco_videos(data, 'x', ClassTable(), unfold))[0]


def test_frames_and_masks_of_a_moving_video_agree(tmp_path):
    video = moving(tmp_path / 'in', tmp_path / 'out')
    assert video.file_names == [f'a/{t:05d}.jpg' for t in range(5)]
    places = []
    for name, counts in zip(video.file_names, video.tracks[0].counts):
        frame = cv2.imread(str(tmp_path / 'out' / name))
        white = frame.min(axis=2) > 127
        mask = decode_masks([counts], 40, 60)[0].astype(bool)
        overlap = (white & mask).sum() / (white | mask).sum()
        assert overlap > 0.95
        places.append(np.argwhere(mask).mean(axis=0))
    assert np.abs(np.diff(places, axis=0)).max(axis=1).min() > 0.2
    assert video.tracks[0].bboxes == [None] * 5


def test_moving_videos_need_their_image(tmp_path):
    moving(tmp_path / 'in', tmp_path / 'out')
    cv2.imwrite(str(tmp_path / 'in' / 'a.png'), np.zeros((8, 12, 3), np.uint8))
    unfold = MovingVideo(2, 0, tmp_path / 'in', tmp_path / 'out')
    data = coco()
    data['images'] = data['images'][:1]
    with pytest.raises(ValueError, match=r'a\.jpg is missing or broken'):
        list(coco_videos(data, 'x', ClassTable(), unfold))
    data['images'][0].update(file_name='a.png', height=9)
    data['annotations'] = None
    with pytest.raises(
        ValueError, match=r'\(8, 12\) \(height, width\), its annotation file says \(9, 12\)'
    ):
        list(coco_videos(data, 'x', ClassTable(), unfold))
    data['images'][0].update(height=8)
    data['images'].append(dict(data['images'][0], id=43))
    with pytest.raises(ValueError, match='has this name but for its suffix'):
        list(coco_videos(data, 'x', ClassTable(), unfold))
