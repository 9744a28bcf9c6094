import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cases import random_case
from vis_files import annotation, ground_truth, result

from mmcico.evaluation import evaluate, measure_files, read_ground_truth, read_results
from mmcico.evaluation.list_parts import cut_list, read_part
from mmcico.evaluation.workers import in_processes

A, B = (0, 0, 4, 4), (5, 4, 9, 8)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('files')


def write(folder, truth, results, **style):
    for name, content in (('gt', truth), ('results', results)):
        (folder / f'{name}.json').write_text(json.dumps(content, **style))
    return folder / 'gt.json', folder / 'results.json'


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.booleans())
def test_files_in_any_number_of_processes(folder, seed, processes, ordered):
    truth, results = random_case(seed)
    if ordered:
        results.sort(key=lambda each: each['video_id'])
    paths = write(folder, truth, results, indent=1 if seed % 2 else None)
    read = read_ground_truth(truth)
    expected = evaluate(read, read_results(results, read), 'ovis')
    found, file = measure_files(*paths, 'ovis', processes=processes)
    assert found == expected
    assert file.without_occlusion == read.without_occlusion


def many(number=6):
    """Truth and results of several videos, in order."""
    truth = ground_truth([annotation([A, B], video_id=i) for i in range(number)], [2] * number)
    return truth, [result([A, B], video_id=i // 2) for i in range(number * 2)]


@pytest.mark.parametrize('place', [0, 11])
def test_errors_are_those_of_one_process(folder, place):
    truth, results = many()
    results[place]['segmentations'].append(None)
    paths = write(folder, truth, results)
    for processes in (1, 2, 4):
        with pytest.raises(ValueError) as error:
            measure_files(*paths, processes=processes)
        error.match(
            rf'results\.json: track {place} of video {place // 2}: '
            'field segmentations has 3 entries, .* 2 frames'
        )


def test_unusable_files(folder):
    truth, results = many()
    gt, path = write(folder, truth, dict(results=results))
    with pytest.raises(ValueError, match='expected a list of tracks'):
        measure_files(gt, path, processes=2)
    path.write_text(json.dumps(results)[:-40])
    with pytest.raises(ValueError, match='results.json is not complete JSON'):
        measure_files(gt, path, processes=2)
    with pytest.raises(ValueError, match='none.json cannot be read'):
        measure_files(gt, folder / 'none.json', processes=2)
    gt, path = write(folder, dict(truth, annotations=None), results)
    with pytest.raises(ValueError, match='gt.json has no annotations'):
        measure_files(gt, path)


@pytest.mark.parametrize('style', [{}, dict(indent=2), dict(sort_keys=True)])
def test_parts_hold_all_entries_and_whole_videos(style):
    _, results = many()
    data = json.dumps(results, **style).encode()
    for number in (1, 2, 3, 5):
        parts = [read_part(data, part) for part in cut_list(data, number)]
        assert sum(parts, []) == results
        assert len(parts) == number
        videos = [{each['video_id'] for each in part} for part in parts]
        assert sum(map(len, videos)) == len(set.union(*videos))


def test_one_video_is_not_cut():
    data = json.dumps([result([A, B])] * 4).encode()
    assert len(cut_list(data, 2)) == 1
    assert [read_part(b' [ ] ', part) for part in cut_list(b' [ ] ', 2)] == [[]]


@pytest.mark.parametrize('data', [b'', b'{}', b'[1', b'{"a": []}', b']['])
def test_no_list_is_not_cut(data):
    with pytest.raises(ValueError, match='not a JSON list'):
        cut_list(data, 2)


def test_a_wrong_guess_changes_nothing(folder):
    truth, results = many()
    # a text, and a list within an entry, that look like the ends of entries
    noise = 'x}, {"score": 1, "video_id": 7'
    inner = [dict(video_id=3), dict(score=0.1, video_id=4)] * 40
    results = [dict(each, note=noise * 20, more=inner) for each in results]
    read = read_ground_truth(truth)
    paths = write(folder, truth, results)
    assert measure_files(*paths, processes=2)[0] == evaluate(read, read_results(results, read))


def test_work_is_shared_and_kept_in_order():
    answers = in_processes(lambda part: (os.getpid(), sum(part)), [[1, 2], [3], [4, 5]])
    assert [each[1] for each in answers] == [3, 3, 9]
    assert len({each[0] for each in answers}) == 3
    assert answers[0][0] == os.getpid()


def test_errors_and_ends_of_children_come_back():

    def fail(part):
        if part:
            raise ValueError(f'part {part}')

    with pytest.raises(ValueError, match='part 2'):
        in_processes(fail, [0, 2, 3])
    with pytest.raises(ValueError, match='a process died'):
        in_processes(lambda part: part and os._exit(3), [0, 1])


@pytest.mark.parametrize('processes', [0, -3])
def test_no_processes(folder, processes):
    paths = write(folder, *many(1))
    with pytest.raises(ValueError, match='choose 1 or more'):
        measure_files(*paths, processes=processes)
