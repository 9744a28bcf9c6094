import numpy as np
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from vis_files import IDS, SIZE, annotation, draw, golden, ground_truth, result, rle

from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.diagnosis import frame_figures

NAMES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl')
LEFT, RIGHT, HALF = (0, 0, 4, 4), (5, 0, 9, 4), (0, 0, 4, 2)


def read(annotations, results, lengths=(2,)):
    truth = read_ground_truth(ground_truth(annotations, lengths=lengths))
    return truth, read_results(results, truth)


def test_ids_do_not_matter():
    files = read(
        [annotation([LEFT] * 2), annotation([RIGHT] * 2)],
        [result([LEFT, RIGHT]), result([RIGHT, LEFT], 0.8)],
    )
    assert evaluate(*files)['AP'] == 0
    found = frame_figures(*files)
    for kind in ('box', 'mask'):
        assert found.total[kind]['AP'] == pytest.approx(1)
        assert found.total[kind]['APs'] == pytest.approx(1)
        assert found.total[kind]['APl'] is None
    assert [row['mask_AP'] for row in found.frames] == pytest.approx([1, 1])


def test_by_hand():
    # two videos, so that images of the second one do not mix with the first
    objects = [annotation([LEFT, LEFT]), annotation([RIGHT, None, RIGHT], video_id=1)]
    results = [result([LEFT, HALF], 0.9), result([None, HALF, None], 0.8, video_id=1)]
    found = frame_figures(*read(objects, results, (2, 3)))
    # IoU .5: right, right, wrong for four objects: precision 1 up to a
    # recall of .5; above .5 the second is wrong: 1 up to .25
    expected = (51 / 101 + 9 * 26 / 101) / 10
    assert found.total['mask']['AP'] == pytest.approx(expected)
    assert found.total['mask']['AP50'] == pytest.approx(51 / 101)
    assert found.total['mask']['AR100'] == pytest.approx((0.5 + 9 * 0.25) / 10)
    rows = [
        (row['video_id'], row['frame'], row['objects'], row['predictions'], row['mask_AP'])
        for row in found.frames
    ]
    assert rows == [
        (0, 0, 1, 1, pytest.approx(1)),
        (0, 1, 1, 1, pytest.approx(0.1)),
        (1, 0, 1, 0, 0),
        (1, 1, 0, 1, None),
        (1, 2, 1, 0, 0),
    ]


def test_boxes_and_masks_differ():
    corner = draw(LEFT)
    corner[1:4, 1:4] = False  # 7 of 16 cells in the same box
    assert corner.sum() == 7
    files = ground_truth([annotation([LEFT])], lengths=[1])
    truth = read_ground_truth(files)
    new = dict(result([LEFT]), segmentations=[rle(corner)])
    found = frame_figures(truth, read_results([new], truth))
    assert found.total['box']['AP'] == pytest.approx(1)
    assert found.total['mask']['AP'] == 0
    assert found.frames[0]['box_AP'] == pytest.approx(1)
    assert found.frames[0]['mask_AP'] == 0


def test_crowds_excuse_what_lies_on_them():
    objects = [annotation([LEFT]), annotation([RIGHT], iscrowd=1)]
    results = [result([(6, 1, 8, 3)], 0.9), result([LEFT], 0.8)]
    found = frame_figures(*read(objects, results, (1,)))
    # the first lies in the crowd, by which its own area counts
    assert found.total['mask']['AP'] == pytest.approx(1)
    assert found.frames[0]['mask_AP'] == pytest.approx(1)


@pytest.mark.parametrize('results', [[], [result([None] * 2)]])
def test_no_detections(results):
    found = frame_figures(*read([annotation([LEFT, None])], results))
    assert found.total['box']['AP'] == found.total['mask']['AR1'] == 0
    assert [row['frame'] for row in found.frames] == [0]


def test_nothing_at_all():
    found = frame_figures(*read(None, []))
    assert set(found.total['mask'].values()) == {None}
    assert found.frames == []


def test_size_is_height_width():
    tall = np.zeros(SIZE, bool)
    tall[:, 9] = True
    truth = read_ground_truth(
        ground_truth([dict(annotation([None]), segmentations=[rle(tall)])], lengths=[1])
    )
    new = dict(result([None]), segmentations=[rle(tall)])
    found = frame_figures(truth, read_results([new], truth))
    assert found.total['box']['AP'] == pytest.approx(1)


def as_images(videos, categories, entries):
    """COCO's layout, made from the files alone."""
    starts = np.cumsum([0] + [video['length'] for video in videos])
    starts = {v['id']: int(s) for v, s in zip(videos, starts)}
    annotations = []
    for entry in entries:
        for frame, code in enumerate(entry['segmentations']):
            if code is None:
                continue
            if isinstance(code['counts'], list):
                code = mask_utils.frPyObjects(code, *code['size'])
            mask = mask_utils.decode(code)
            if not mask.any():
                continue
            y, x = np.nonzero(mask)
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=starts[entry['video_id']] + frame,
                    category_id=entry['category_id'],
                    segmentation=code,
                    area=int(mask.sum()),
                    bbox=[int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1],
                    iscrowd=entry.get('iscrowd', 0),
                    score=entry.get('score', 0),
                )
            )
    coco = COCO()
    coco.dataset = dict(
        images=[dict(v, id=starts[v['id']] + i) for v in videos for i in range(v['length'])],
        categories=[dict(each) for each in categories],
        annotations=annotations,
    )
    coco.createIndex()
    return coco


def by_coco(gt, results, kind):
    """COCO's own figures, with results read by its own reader."""
    objects, found = (
        as_images(gt['videos'], gt['categories'], entries)
        for entries in (gt['annotations'], results)
    )
    field = dict(bbox='bbox', segm='segmentation')[kind]
    detections = [
        {key: each[key] for key in ('image_id', 'category_id', 'score', field)}
        for each in found.dataset['annotations']
    ]
    objects.dataset['info'] = {}
    coco = COCOeval(objects, objects.loadRes(detections), kind)
    coco.evaluate()
    coco.accumulate()
    coco.summarize()
    return coco.stats


def sparse(rng, size):
    """The outline of a rectangle of any size: many cells in its box only."""
    height, width = rng.integers(12, 150, 2)
    y = rng.integers(0, size[0] - height)
    x = rng.integers(0, size[1] - width)
    mask = np.zeros(size, bool)
    mask[y : y + height, x : x + width] = True
    edge = rng.integers(3, 30)
    mask[y + edge : y + height - edge, x + edge : x + width - edge] = False
    return mask


def sparse_files(seed, size=(160, 180), length=2):
    """Objects of all sizes, shifted results, and false ones."""
    rng = np.random.default_rng(seed)
    annotations, results = [], []
    for video, category, _ in np.ndindex(3, 2, 5):
        place = dict(video_id=video, category_id=10 + category)
        masks = [sparse(rng, size) for _ in range(length)]
        annotations.append(dict(id=next(IDS), segmentations=[rle(each) for each in masks], **place))
        shift = tuple(rng.integers(0, 3, 2))
        moved = [np.roll(each, shift, (0, 1)) for each in masks]
        false = [sparse(rng, size) for _ in range(length)]
        results += [
            dict(score=float(rng.random()), segmentations=[rle(each) for each in some], **place)
            for some in (moved, false)
        ]
    return ground_truth(annotations, [length] * 3, size), results


@pytest.mark.parametrize('kind, name', [('bbox', 'box'), ('segm', 'mask')])
@pytest.mark.parametrize('seed', range(3))
def test_small_medium_and_large_are_those_of_coco(seed, kind, name):
    gt, results = sparse_files(seed)
    truth = read_ground_truth(gt)
    found = frame_figures(truth, read_results(results, truth)).total[name]
    expected = by_coco(gt, results, kind)
    assert [found[each] for each in NAMES] == pytest.approx(expected.tolist(), abs=1e-9)
    assert all(0 < found[each] < 1 for each in ('APs', 'APm', 'APl'))


@pytest.mark.parametrize('kind, name', [('bbox', 'box'), ('segm', 'mask')])
def test_equal_to_coco_over_all_images(kind, name):
    gt, results, _ = golden()
    truth = read_ground_truth(gt)
    found = frame_figures(truth, read_results(results, truth)).total[name]
    stats = by_coco(gt, results, kind)
    assert list(found) == list(NAMES)
    assert found['AP'] > 0.1
    for each, value in zip(NAMES, stats):
        assert found[each] == (None if value < 0 else pytest.approx(value, abs=1e-9)), each
