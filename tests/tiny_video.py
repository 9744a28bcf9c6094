"""Two tiny videos on disk, in the layouts of YouTube-VIS and CocoVID.

Frames are 8 high and 12 wide. Video 7 has five frames, video 0 two; the file
order is 7, 0. Category ids have gaps and are not in order. All numbers of
the tests follow from the tables here.
"""

import copy
import json

import cv2
import numpy as np

HEIGHT, WIDTH = 8, 12
NAMES = ['v7/00000.jpg', 'v7/00005.jpg', 'v7/00010.jpg', 'v7/00015.jpg', 'v7/00020.jpg']


def rle(top, left, height, width):
    """Uncompressed RLE of a rectangle, column by column as files have it."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=int)
    mask[top : top + height, left : left + width] = 1
    counts, value = [0], 0
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return dict(size=[HEIGHT, WIDTH], counts=[int(c) for c in counts])


def box(top, left, height, width):
    return [left, top, width, height]


def annotation(key, video_id, category_id, places, **more):
    return dict(
        id=key,
        video_id=video_id,
        category_id=category_id,
        iscrowd=0,
        height=HEIGHT,
        width=WIDTH,
        length=len(places),
        segmentations=[p and rle(*p) for p in places],
        bboxes=[p and box(*p) for p in places],
        areas=[p and p[2] * p[3] for p in places],
        **more,
    )


def content():
    """A fresh file: ids 0 are used, frame 3 of video 7 shows nothing."""
    crowd = annotation(9, 7, 5, [(0, 0, 2, 3), None, None, None, None])
    crowd['iscrowd'] = 1
    return copy.deepcopy(
        dict(
            videos=[
                dict(id=7, height=HEIGHT, width=WIDTH, length=5, file_names=NAMES),
                dict(
                    id=0, height=HEIGHT, width=WIDTH, length=2, file_names=['v0/a.jpg', 'v0/b.jpg']
                ),
            ],
            categories=[
                dict(id=40, name='Giant panda'),
                dict(id=5, name='Vehical'),
                dict(id=0, name='cat'),
            ],
            annotations=[
                annotation(0, 7, 40, [(1, 2, 3, 4), (1, 3, 3, 4), None, None, (1, 5, 3, 4)]),
                annotation(3, 7, 0, [None, (4, 6, 2, 2), (4, 7, 2, 2), None, None]),
                crowd,
                annotation(4, 0, 5, [(2, 2, 4, 4), (2, 3, 4, 4)]),
            ],
        )
    )


def as_cocovid(data):
    """The same content, as conversion tools write it; images shuffled."""
    images, annotations, numbers = [], [], {}
    for video in data['videos']:
        for t, name in enumerate(video['file_names']):
            numbers[video['id'], t] = len(images)
            images.append(
                dict(
                    id=len(images),
                    video_id=video['id'],
                    frame_id=t,
                    file_name=name,
                    height=HEIGHT,
                    width=WIDTH,
                )
            )
    for track in data.get('annotations') or []:
        for t, mask in enumerate(track['segmentations']):
            if mask is not None:
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        video_id=track['video_id'],
                        image_id=numbers[track['video_id'], t],
                        instance_id=track['id'],
                        iscrowd=track['iscrowd'],
                        category_id=track['category_id'],
                        segmentation=mask,
                        bbox=track['bboxes'][t],
                    )
                )
    videos = [
        dict(id=v['id'], name=f'v{v["id"]}', height=HEIGHT, width=WIDTH) for v in data['videos']
    ]
    return dict(
        videos=videos, images=images[::-1], annotations=annotations, categories=data['categories']
    )


def write_json(folder, data, name='instances.json'):
    path = folder / name
    path.write_text(json.dumps(data))
    return str(path)


def whole_video(folder):
    """Frames and annotations in a folder."""
    write_frames(folder)
    write_json(folder, content())
    return folder


def write_frames(folder):
    """Frame t of a video is grey 40 * t + 20, its left half 10 darker."""
    for video in content()['videos']:
        for t, name in enumerate(video['file_names']):
            image = np.full((HEIGHT, WIDTH, 3), 40 * t + 20, np.uint8)
            image[:, : WIDTH // 2] -= 10
            path = folder / 'img' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    return folder


def pipeline(*steps, annotated=True, sample=None):
    """As in the configs, with further steps for every frame."""
    load = [dict(type='mmcico.LoadClipFrame')]
    if annotated:
        load.append(dict(type='mmcico.LoadClipAnnotations'))
    return [
        dict(type='mmcico.ClipFrameSample', **(sample or {})),
        dict(type='TransformBroadcaster', share_random_params=True, transforms=load + list(steps)),
        dict(type='mmcico.PackClipInputs'),
    ]
