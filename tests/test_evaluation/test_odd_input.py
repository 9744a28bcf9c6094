"""Figures do not depend on how a file says the same thing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_reference import reference
from pycocotools import mask as mask_utils
from random_cases import random_case
from vis_files import SIZE, annotation, ground_truth, result, rle

from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.submission import check_tracks

A, B = (0, 0, 4, 4), (5, 4, 9, 8)


def measure(truth, results, metric='ytvis'):
    read = read_ground_truth(truth, 'gt.json')
    return evaluate(read, read_results(results, read, 'results.json'), metric)


def pixels(mask):
    return mask_utils.decode(dict(mask, counts=mask['counts'].encode()))


def uncompressed(mask):
    flat = pixels(mask).ravel(order='F')
    edges = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    return dict(mask, counts=np.diff([0, *edges, flat.size]).tolist() + [0])


def polygon(mask):
    """The masks of the random cases are rectangles."""
    rows, cols = np.nonzero(pixels(mask))
    x1, y1, x2, y2 = cols.min(), rows.min(), cols.max() + 1, rows.max() + 1
    return [[int(v) for v in (x1, y1, x2, y1, x2, y2, x1, y2)]]


FORMS = [
    lambda mask: mask,
    uncompressed,
    polygon,
    lambda mask: dict(mask, counts=mask['counts'].encode()),
    lambda mask: dict(mask, size=tuple(mask['size'])),
]
IDS = [lambda i: i, str, lambda i: float(i) if i else 0, lambda i: f'{i}']


def reworded(data, truth, results):
    """The same content, said in another way."""
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731

    def masks(entry):
        return [
            choose([None, []]) if each is None else choose(FORMS)(each)
            for each in entry['segmentations']
        ]

    def entries(group):
        return [
            dict(
                each,
                segmentations=masks(each),
                video_id=choose(IDS)(each['video_id']),
                category_id=choose(IDS)(each['category_id']),
            )
            for each in group
        ]

    tables = {
        key: [
            dict(each, id=choose([int, str])(each['id']))
            for each in data.draw(st.permutations(truth[key]))
        ]
        for key in ('videos', 'categories')
    }
    annotations = [dict(each, id=choose(IDS)(each['id'])) for each in entries(truth['annotations'])]
    return dict(tables, annotations=annotations), entries(results)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.data())
def test_figures_do_not_depend_on_the_wording(seed, data):
    truth, results = random_case(seed)
    expected = reference(truth, results)
    found = measure(*reworded(data, truth, results), 'ovis')
    for key, value in expected.items():
        assert found[key] == (value if value is None else pytest.approx(value, abs=1e-9)), key


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.data())
def test_gaps_and_order_of_category_ids(seed, data):
    truth, results = random_case(seed)
    before = measure(truth, results)
    ids = data.draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
    new = dict(zip((10, 11), ids))
    for each in truth['annotations'] + results:
        each['category_id'] = new[each['category_id']]
    for each in truth['categories']:
        each.update(id=new[each['id']], name=f'other {each["id"]}')
    after = measure(truth, results)
    by_id = dict(zip(sorted(ids), after['AP_per_class']))
    assert [by_id[i] for i in ids] == before['AP_per_class']
    assert after['AP'] == pytest.approx(before['AP'], abs=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_wrong_lengths_are_named(data):
    truth = ground_truth([annotation([A, B], video_id=i) for i in range(3)], [2] * 3)
    results = [result([A, B], video_id=i) for i in range(3)]
    source, name = data.draw(st.sampled_from([(truth['annotations'], 'gt'), (results, 'results')]))
    entry = data.draw(st.sampled_from(source))
    length = data.draw(st.sampled_from([0, 1, 3, 7]))
    entry['segmentations'] = (entry['segmentations'] * 4)[:length]
    with pytest.raises(ValueError) as error:
        measure(truth, results)
    error.match(
        rf"{name}\.json: .*video {entry['video_id']}.*field 'segmentations': .*"
        rf'(has {length} entries|the video has 2)'
    )


@pytest.mark.parametrize('annotations', [None, [], 'missing'])
def test_nothing_annotated(annotations):
    truth = ground_truth(annotations)
    if annotations == 'missing':
        del truth['annotations']
    metrics = measure(truth, [result([A, B])])
    assert metrics['AP'] is None and metrics['AP_per_class'] == [None, None]


def cocovid(truth):
    """The same content as entries of single frames, frames in disorder."""
    images, annotations = [], []
    for video in truth['videos']:
        for t in reversed(range(video['length'])):
            images.append(
                dict(
                    id=len(images),
                    video_id=video['id'],
                    frame_id=t,
                    file_name=f'{t}.jpg',
                    height=video['height'],
                    width=video['width'],
                )
            )
    places = {(each['video_id'], each['frame_id']): each['id'] for each in images}
    for number, track in enumerate(truth['annotations']):
        for t, mask in enumerate(track['segmentations']):
            if mask is not None:
                annotations.append(
                    dict(
                        id=len(annotations),
                        image_id=places[track['video_id'], t],
                        instance_id=number,
                        category_id=track['category_id'],
                        iscrowd=track['iscrowd'],
                        segmentation=mask,
                    )
                )
    return dict(
        videos=[dict(id=v['id'], name='v') for v in truth['videos']],
        images=images,
        categories=truth['categories'],
        annotations=annotations,
    )


@pytest.mark.parametrize('seed', range(12))
def test_cocovid_is_the_same_ground_truth(seed):
    truth, results = random_case(seed)
    # a track without any mask leaves no trace in CocoVID
    truth['annotations'] = [each for each in truth['annotations'] if any(each['segmentations'])]
    found, expected = measure(cocovid(truth), results), measure(truth, results)
    assert found == expected


def test_cocovid_errors_name_the_frame():
    mask = rle(np.ones((8, 10), bool))
    truth = cocovid(ground_truth([dict(annotation([A, B]), iscrowd=0, segmentations=[mask, mask])]))
    truth['annotations'][1]['segmentation'] = dict(mask, size=[4, 4])
    with pytest.raises(ValueError, match=r'gt\.json: video 0, frame 1'):
        measure(truth, [])


BROKEN = {
    'a negative run': '0O`0O',
    'a negative run, right total': [90, -20, 10],
    'right modulo 2 ** 64': [2**63, 2**63, 80],
    'cut off': 'P',
    'too few pixels': [40, 10],
    'no text': 5,
}


@pytest.mark.parametrize('counts', BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize('side', ['gt', 'results'])
def test_broken_runs_are_named_by_every_reader(counts, side):
    mask = dict(size=[*SIZE], counts=counts)
    truth, results = ground_truth([annotation([A])], [1]), [result([A])]
    (truth['annotations'] if side == 'gt' else results)[0]['segmentations'] = [mask]
    with pytest.raises(ValueError, match=rf"{side}\.json: .*video 0, frame 0.*'segmentations'"):
        measure(truth, results)
    if side == 'results':
        found = check_tracks(results, read_ground_truth(truth), 'results.json')
        assert found.num_errors == 1
