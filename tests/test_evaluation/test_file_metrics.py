import json
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cases import random_case
from vis_files import annotation, ground_truth, result

from mmcico.evaluation import evaluate, measure_files, read_ground_truth, read_results, ytvis_eval
from mmcico.evaluation.submission import write_submission
from mmcico.formats.problems import Problems

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
            rf"results\.json: track {place}, video {place // 2}, field 'segmentations': "
            'has 3 entries, the video has 2 frames'
        )


def test_unusable_files(folder):
    truth, results = many()
    gt, path = write(folder, truth, dict(results=results))
    with pytest.raises(ValueError, match='not a list of tracks'):
        measure_files(gt, path, processes=2)
    path.write_text(json.dumps(results)[:-40])
    with pytest.raises(ValueError, match='results.json is not complete JSON'):
        measure_files(gt, path, processes=2)
    with pytest.raises(ValueError, match='none.json cannot be read'):
        measure_files(gt, folder / 'none.json', processes=2)
    gt, path = write(folder, dict(truth, annotations=None), results)
    with pytest.raises(ValueError, match='gt.json has no annotations'):
        measure_files(gt, path)


def test_a_worker_that_dies_is_reported(folder, monkeypatch):
    monkeypatch.setattr(ytvis_eval, 'match_tracks', die)
    with pytest.raises(ValueError, match='a process died'):
        measure_files(*write(folder, *many()), processes=2)


def die(*args):
    os._exit(3)


@pytest.mark.parametrize('suffix', ['zip', 'jsonl', 'folder'])
def test_other_files_of_results(folder, suffix):
    truth, results = many()
    gt, path = write(folder, truth, results)
    expected = measure_files(gt, path)[0]
    if suffix == 'zip':
        other = folder / 'submission.zip'
        write_submission(other, results)
    else:
        other = folder / 'test' / 'results.rank0.jsonl'
        other.parent.mkdir()
        records = [
            dict(video_id=i, results=[each for each in results if each['video_id'] == i])
            for i in range(6)
        ]
        other.write_text('\n'.join(map(json.dumps, records)) + '\n')
        other = other if suffix == 'jsonl' else other.parent
    assert measure_files(gt, other)[0] == expected
    if suffix != 'zip':
        shutil.rmtree(folder / 'test')


@pytest.mark.parametrize(
    'age, lines, wanted', [(-1, 1, 'parts'), (1, 1, 'whole'), (-1, 0, 'whole'), (None, 1, 'parts')]
)
def test_parts_that_are_newer_than_results_of_an_earlier_test(tmp_path, age, lines, wanted):
    truth, results = many(1)
    truth = read_ground_truth(truth)
    part, whole = tmp_path / 'results.rank0.jsonl', tmp_path / 'results.json'
    part.write_text((json.dumps(dict(video_id=0, results=results[:1])) + '\n') * lines)
    if age is not None:
        whole.write_text(json.dumps(results[1:2]))
        seconds = part.stat().st_mtime + age
        os.utime(whole, (seconds, seconds))
    problems = Problems('results')
    (tracks,) = read_results(tmp_path, truth, problems=problems).values()
    assert [each.score for each in tracks] == [results[wanted == 'whole']['score']]
    stale = age is not None and wanted == 'parts'
    assert len(problems.found) == stale
    assert not stale or 'is older than the parts of an interrupted test' in problems.found[0].text()


@pytest.mark.parametrize('processes', [0, -3])
def test_no_processes(folder, processes):
    paths = write(folder, *many(1))
    with pytest.raises(ValueError, match='choose 1 or more'):
        measure_files(*paths, processes=processes)
