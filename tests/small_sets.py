"""A small sound data set, in both layouts, for tests to spoil."""

import copy

import numpy as np
from pycocotools import mask as mask_api

HEIGHT, WIDTH = 6, 8


def box_mask(x, y, width, height, size=(HEIGHT, WIDTH)):
    """(H, W) bool with a filled rectangle."""
    mask = np.zeros(size, bool)
    mask[y : y + height, x : x + width] = True
    return mask


def compressed(mask):
    code = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(size=list(mask.shape), counts=code['counts'].decode())


def uncompressed(mask):
    """Runs counted one pixel after the other."""
    runs, last = [0], False
    for pixel in mask.T.reshape(-1).tolist():
        if pixel != last:
            runs.append(0)
            last = pixel
        runs[-1] += 1
    return dict(size=list(mask.shape), counts=runs)


def polygon(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def small_set():
    """Two videos of three and two frames, three objects, one a crowd.

    The first moves by a column a frame: boxes x = 1, 2, 3, each 4 x 2.
    """
    moving = [(x, 1, 4, 2) for x in (1, 2, 3)]
    return dict(
        info=dict(description='small'),
        videos=[
            dict(
                id=0,
                height=HEIGHT,
                width=WIDTH,
                length=3,
                file_names=[f'a/{n}.jpg' for n in (5, 10, 15)],
            ),
            dict(id=7, height=HEIGHT, width=WIDTH, length=2, file_names=['b/0.jpg', 'b/1.jpg']),
        ],
        categories=[dict(id=3, name='cat'), dict(id=40, name='dog')],
        annotations=[
            dict(
                id=0,
                video_id=0,
                category_id=3,
                iscrowd=0,
                height=HEIGHT,
                width=WIDTH,
                length=3,
                segmentations=[
                    compressed(box_mask(*moving[0])),
                    uncompressed(box_mask(*moving[1])),
                    polygon(*moving[2]),
                ],
                bboxes=[list(map(float, box)) for box in moving],
                areas=[8, 8, 8.0],
                occlusion=['no_occlusion', 'slight_occlusion'] + ['severe_occlusion'],
            ),
            dict(
                id=1,
                video_id=7,
                category_id=40,
                iscrowd=0,
                segmentations=[None, compressed(box_mask(0, 0, 8, 6))],
                bboxes=[None, [0, 0, 8, 6]],
                areas=[None, 48],
                occlusion=[None, 'no_occlusion'],
            ),
            dict(
                id=2,
                video_id=7,
                category_id=3,
                iscrowd=1,
                segmentations=[compressed(box_mask(2, 2, 2, 2)), None],
                bboxes=[[2, 2, 2, 2], None],
                areas=[4, None],
                occlusion=['no_occlusion', None],
            ),
        ],
    )


def small_cocovid():
    """The same as CocoVID; no occlusion, ids of instances from 0."""
    data = small_set()
    images, annotations = [], []
    for video in data['videos']:
        for t, name in enumerate(video.pop('file_names')):
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
        video.pop('length')
    for track in data['annotations']:
        homes = [i for i in images if i['video_id'] == track['video_id']]
        for image in homes:
            t = image['frame_id']
            if track['segmentations'][t] is None:
                continue
            annotations.append(
                dict(
                    id=len(annotations),
                    image_id=image['id'],
                    instance_id=track['id'],
                    category_id=track['category_id'],
                    iscrowd=track['iscrowd'],
                    segmentation=track['segmentations'][t],
                    bbox=track['bboxes'][t],
                    area=track['areas'][t],
                )
            )
    return dict(data, images=images, annotations=annotations)


def spoilt(data, path, value):
    """A copy with one value replaced; ``...`` removes it."""
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return data


def as_results(annotations, score):
    """Annotations as the tracks of a results file."""
    return [
        dict(
            video_id=each['video_id'],
            category_id=each['category_id'],
            score=score,
            segmentations=each['segmentations'],
        )
        for each in annotations
    ]
