"""Odd annotation files, and whether a reader refuses them.

Each entry changes a small sound file at one place. ``...`` removes a field.
"""

from small_sets import small_cocovid, small_set, spoilt

REFUSED, ACCEPTED = True, False
A0, V0, V1, C1 = ('annotations', 0), ('videos', 0), ('videos', 1), ('categories', 1)
M0 = (*A0, 'segmentations', 0)
I0 = ('images', 0)


def rle(counts, size=(6, 8)):
    return dict(size=[*size], counts=counts)


#: what -> (path, value, verdict); readers of version 0.2.0 disagreed on the first ones
YOUTUBE_VIS = {
    'video id 7.0': ((*V1, 'id'), 7.0, ACCEPTED),
    'category id of an object 3.0': ((*A0, 'category_id'), 3.0, ACCEPTED),
    'video id as text': ((*V1, 'id'), '7', ACCEPTED),
    'iscrowd null': ((*A0, 'iscrowd'), None, ACCEPTED),
    'iscrowd false': ((*A0, 'iscrowd'), False, ACCEPTED),
    'iscrowd 1.0': ((*A0, 'iscrowd'), 1.0, ACCEPTED),
    'annotation id twice': ((*A0, 'id'), 1, REFUSED),
    'annotation id missing': ((*A0, 'id'), ..., REFUSED),
    'annotation id null': ((*A0, 'id'), None, REFUSED),
    'boxes of texts': ((*A0, 'bboxes', 0), ['1', '1', '4', '2'], REFUSED),
    'a box of three': ((*A0, 'bboxes', 0), [1, 1, 4], REFUSED),
    'an infinite box': ((*A0, 'bboxes', 0), [1, 1, 4, float('inf')], REFUSED),
    'a box without area': ((*A0, 'bboxes', 0), [1, 1, 0, 0], ACCEPTED),
    'height 40000': ((*V0, 'height'), 40000, REFUSED),
    'height 6.0': ((*V0, 'height'), 6.0, ACCEPTED),
    'height true': ((*V0, 'height'), True, REFUSED),
    'height 10 ** 9': ((*V0, 'height'), 10**9, REFUSED),
    'unknown word of occlusion': ((*A0, 'occlusion', 0), 'half', REFUSED),
    'occlusion a list': ((*A0, 'occlusion', 0), [], REFUSED),
    'area a text': ((*A0, 'areas', 0), '8', REFUSED),
    'area negative': ((*A0, 'areas', 0), -8, REFUSED),
    'area NaN': ((*A0, 'areas', 0), float('nan'), REFUSED),
    'area off': ((*A0, 'areas', 0), 9, ACCEPTED),
    'areas missing': ((*A0, 'areas'), ..., ACCEPTED),
    'name of a class twice': ((*C1, 'name'), 'Cat', ACCEPTED),
    'name of a class missing': ((*C1, 'name'), ..., REFUSED),
    'name of a class a number': ((*C1, 'name'), 5, ACCEPTED),
    'name of a class a list': ((*C1, 'name'), ['dog'], REFUSED),
    'length 3.0': ((*V0, 'length'), 3.0, ACCEPTED),
    'length a text': ((*V0, 'length'), '3', REFUSED),
    'length missing': ((*V0, 'length'), ..., ACCEPTED),
    'video id true': ((*V1, 'id'), True, REFUSED),
    'video id 1.5': ((*V1, 'id'), 1.5, REFUSED),
    'video id twice': ((*V1, 'id'), 0, REFUSED),
    'file name a number': ((*V0, 'file_names', 0), 5, REFUSED),
    'file name null': ((*V0, 'file_names', 0), None, REFUSED),
    'file name with a zero byte': ((*V0, 'file_names', 0), 'a\0.jpg', REFUSED),
    'unknown class of an object': ((*A0, 'category_id'), 41, REFUSED),
    'iscrowd a text': ((*A0, 'iscrowd'), '0', REFUSED),
    'iscrowd 2': ((*A0, 'iscrowd'), 2, REFUSED),
    'too few masks': ((*A0, 'segmentations'), [None], REFUSED),
    'masks null': ((*A0, 'segmentations'), None, REFUSED),
    'annotations null': (('annotations',), None, ACCEPTED),
    'annotations an object': (('annotations',), {'a': 1}, REFUSED),
    'an annotation is a number': (A0, 4, REFUSED),
    'no categories': (('categories',), [], REFUSED),
    'no videos': (('videos',), ..., REFUSED),
    'mask an empty object': (M0, {}, ACCEPTED),
    'mask an empty list': (M0, [], ACCEPTED),
    'mask a name': (M0, 'mask.png', REFUSED),
    'mask of another size': (M0, rle([48], (8, 6)), REFUSED),
    'mask without a size': (M0, dict(counts=[48]), REFUSED),
    'mask without a pixel': (M0, rle([48]), ACCEPTED),
    'negative run': (M0, rle([50, -2]), REFUSED),
    # the third number is -2, the sum 48 is right
    'negative run in a text': (M0, rle('`01N1'), REFUSED),
    'runs right modulo 2 ** 64': (M0, rle([2**63, 2**63, 48]), REFUSED),
    'a run of 2 ** 64 + 48': (M0, rle([2**64 + 48]), REFUSED),
    'runs with a point': (M0, rle([40.0, 8.0]), REFUSED),
    'runs of true': (M0, rle([True] * 48), REFUSED),
    'text cut off': (M0, rle('1P'), REFUSED),
    'text of other characters': (M0, rle('1é'), REFUSED),
    'text empty': (M0, rle(''), REFUSED),
    'text of huge numbers': (M0, rle('oooooooooooooooo0'), REFUSED),
    'counts null': (M0, rle(None), REFUSED),
    'polygon far away': (M0, [[0, 0, 1e30, 0, 3, 3]], REFUSED),
    'polygon of texts': (M0, [['0', '0', '1', '0', '3', '3']], REFUSED),
    'polygon flat': (M0, [1, 1, 5, 1, 5, 5], REFUSED),
    'polygon of two corners': (M0, [[0, 0, 4, 4]], ACCEPTED),
    'polygon of seven numbers': (M0, [[0, 0, 4, 4, 0, 4, 1]], REFUSED),
}

COCOVID = {
    'frame number with a point': (
        (*I0, 'frame_id'),
        float(small_cocovid()['images'][0]['frame_id']),
        ACCEPTED,
    ),
    'frame number a text': ((*I0, 'frame_id'), 'two', REFUSED),
    'image without a file': ((*I0, 'file_name'), ..., REFUSED),
    'image of no video': ((*I0, 'video_id'), 99, REFUSED),
    'image of another height': ((*I0, 'height'), 7, REFUSED),
    'image height null': ((*I0, 'height'), None, ACCEPTED),
    'annotation of no image': ((*A0, 'image_id'), 99, REFUSED),
    'annotation id missing, CocoVID': ((*A0, 'id'), ..., ACCEPTED),
    'instance missing': ((*A0, 'instance_id'), ..., REFUSED),
    'instance null': ((*A0, 'instance_id'), None, REFUSED),
    'mask missing': ((*A0, 'segmentation'), ..., REFUSED),
    'one crowd frame': ((*A0, 'iscrowd'), 1, ACCEPTED),
    'box a text': ((*A0, 'bbox'), '1', REFUSED),
    'class of one frame': ((*A0, 'category_id'), 40, REFUSED),
    'negative run, CocoVID': ((*A0, 'segmentation'), rle([50, -2]), REFUSED),
}


def odd_files():
    """Yield (what, content, whether it is refused)."""
    for make, cases in ((small_set, YOUTUBE_VIS), (small_cocovid, COCOVID)):
        for what, (path, value, is_refused) in cases.items():
            yield what, spoilt(make(), path, value), is_refused
