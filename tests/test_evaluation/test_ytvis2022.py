import json
from dataclasses import replace

import pytest
from random_cases import random_case
from vis_files import SIZE, annotation, ground_truth, result

from mmcico.evaluation import (
    evaluate,
    format_table,
    is_long,
    long_video_ids,
    measure_files,
    read_ground_truth,
    read_results,
)
from mmcico.formats.annotations import AnnotatedVideo

A, FAR = (0, 0, 4, 4), (9, 0, 10, 1)


def names(first, second):
    return [f'{first:05d}.jpg', f'{second:05d}.jpg']


def two_videos():
    """A short video that is missed by half, and a long one."""
    source = ground_truth(
        [
            annotation([A, A]),
            annotation([A, A], video_id=1),
            annotation([A, A], category_id=11, video_id=1),
        ],
        [2, 2],
    )
    source['videos'][0]['file_names'] = names(0, 5)
    source['videos'][1]['file_names'] = names(0, 30)
    results = [result([A, A], 0.5), result([FAR, FAR], 0.9), result([A, A], video_id=1)]
    truth = read_ground_truth(source)
    return truth, read_results(results, truth)


def test_by_hand():
    truth, tracks = two_videos()
    metrics = evaluate(truth, tracks, 'ytvis2022')
    # short: a wrong one first, precision 1/2; long: one class of two found
    assert metrics['mAP_short'] == pytest.approx(0.5)
    assert metrics['mAP_long'] == pytest.approx(0.5)
    assert metrics['mAP'] == pytest.approx(0.5)
    assert metrics['AP_per_class_short'] == [pytest.approx(0.5), None]
    assert metrics['AP_per_class_long'] == [pytest.approx(1), 0]
    assert metrics['AR1_short'] == 0 and metrics['AR10_short'] == 1
    assert 'AP' not in metrics and 'mAP_s' not in metrics


@pytest.mark.parametrize('seed', range(8))
def test_is_two_runs_of_the_usual_metric(seed):
    source, results = random_case(seed + 100)
    while len(source['videos']) < 2:
        source['videos'].append(dict(source['videos'][0], id=7))
    truth = read_ground_truth(source)
    tracks = read_results(results, truth)
    ids = [each['id'] for each in source['videos']]
    both = evaluate(truth, tracks, 'ytvis2022', long_videos=ids[:1])
    long = evaluate(truth, tracks, video_ids=ids[:1])
    short = evaluate(truth, tracks, video_ids=ids[1:])
    assert (both['mAP_long'], both['mAP_short']) == (long['AP'], short['AP'])
    for key in ('AP50', 'APs', 'AR10', 'ARm'):
        assert both[f'{key}_long'] == long[key]
        assert both[f'{key}_short'] == short[key]
    if None in (long['AP'], short['AP']):
        assert both['mAP'] is None
    else:
        assert both['mAP'] == pytest.approx((long['AP'] + short['AP']) / 2)


@pytest.mark.parametrize(
    'files, length, expected',
    [
        (names(0, 5), 36, False),
        (names(0, 5), 84, False),
        (names(0, 5), 85, True),
        (names(0, 30), 20, True),
        (['a/1.jpg'], 1, False),
        ([], 84, False),
        (['first.jpg', 'second.jpg'], 2, False),
        (['v2/00010.jpg', 'v2/00015.jpg'], 2, False),
    ],
)
def test_frames_show_long_videos(files, length, expected):
    video = AnnotatedVideo(1, *SIZE, files, 'gt.json', num_frames=length)
    names = files and files + ['x'] * (length - len(files))
    assert is_long(replace(video, file_names=names)) is expected


def test_one_kind_alone_is_an_error():
    truth, tracks = two_videos()
    with pytest.raises(ValueError, match='no long videos.*--long-videos'):
        evaluate(truth, tracks, 'ytvis2022', long_videos=[])
    with pytest.raises(ValueError, match='no short videos'):
        evaluate(truth, tracks, 'ytvis2022', long_videos=[0, '1'])
    with pytest.raises(ValueError, match='no video 5'):
        evaluate(truth, tracks, 'ytvis2022', long_videos=[5])


@pytest.mark.parametrize(
    'content, expected',
    [([3, '4'], [3, '4']), (dict(videos=[dict(id=3), dict(id='4')], annotations=[]), [3, '4'])],
)
def test_files_of_long_videos(tmp_path, content, expected):
    path = tmp_path / 'long.json'
    path.write_text(json.dumps(content))
    assert long_video_ids(path) == expected
    path.write_text('{"ids": []}')
    with pytest.raises(ValueError, match='long.json: expected a list'):
        long_video_ids(path)


def test_table():
    truth, tracks = two_videos()
    lines = format_table(evaluate(truth, tracks, 'ytvis2022')).splitlines()
    assert lines[0].split() == ['%', 'mAP', 'mAP_short', 'mAP_long']
    assert lines[1].split() == ['50.0'] * 3
    assert lines[-3].split() == ['class', 'AP_short', 'AP_long']
    assert lines[-1].split() == ['class_1', '-', '0.0']


def test_unknown_long_videos():
    with pytest.raises(ValueError, match='no video 99, which long_videos'):
        evaluate(*two_videos(), 'ytvis2022', long_videos=[99])


def test_long_videos_are_for_this_metric_alone(tmp_path):
    truth = ground_truth([annotation([A])], [1])
    (tmp_path / 'gt.json').write_text(json.dumps(truth))
    (tmp_path / 'r.json').write_text('[]')
    read = read_ground_truth(truth)
    for measured in (
        lambda: evaluate(read, {}, 'ytvis', long_videos=[0]),
        lambda: measure_files(tmp_path / 'gt.json', tmp_path / 'r.json', 'ovis', long_videos=[0]),
    ):
        with pytest.raises(ValueError, match='goes with the metric ytvis2022'):
            measured()
