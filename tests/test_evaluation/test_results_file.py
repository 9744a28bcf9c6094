import json
import zipfile

import pytest

from mmcico.evaluation import merge_parts
from mmcico.evaluation.results_file import Part, open_part, part_path, save_results


def record(video_id, *scores):
    return dict(
        video_id=video_id, results=[dict(video_id=video_id, score=score) for score in scores]
    )


def test_submission_holds_exactly_the_results(tmp_path):
    save_results(tmp_path / 'new', [record(2, 0.5), record(3), record(4, 0.25)])
    text = (tmp_path / 'new' / 'results.json').read_bytes()
    assert [each['score'] for each in json.loads(text)] == [0.5, 0.25]
    with zipfile.ZipFile(tmp_path / 'new' / 'submission.zip') as file:
        assert file.namelist() == ['results.json']
        assert file.read('results.json') == text


def test_parts_of_a_crashed_run_become_a_submission(tmp_path):
    first, second = Part(tmp_path, 0), Part(tmp_path, 1)
    second.append(record(7, 0.7))
    first.append(record(3, 0.3))
    first.append(record(7, 0.2))  # seen by rank 1 too
    with part_path(tmp_path, 1).open('a') as file:
        file.write('{"video_id": 8, "resu')
    assert merge_parts(tmp_path) == 2
    tracks = json.loads((tmp_path / 'results.json').read_text())
    assert [(each['video_id'], each['score']) for each in tracks] == [(3, 0.3), (7, 0.2)]


def test_nothing_to_merge(tmp_path):
    with pytest.raises(ValueError, match='holds no results.rank<r>.jsonl'):
        merge_parts(tmp_path)


def test_two_tests_do_not_share_a_folder(tmp_path):
    first = Part(tmp_path, 0)
    first.append(record(1, 0.5))
    for world_size in (1, 2):
        with pytest.raises(ValueError, match='is being written by another test'):
            open_part(tmp_path, 0, world_size)
    assert first.records() == [record(1, 0.5)]
    # a test of two processes notices that of three
    first.close(remove=True)
    third = Part(tmp_path, 2)
    with pytest.raises(ValueError, match='rank2.jsonl is being written'):
        open_part(tmp_path, 0, 2)
    third.close(remove=True)
    own = open_part(tmp_path, 0, 2)  # the refused one let its own part go
    own.close(remove=True)


def test_foreign_lines_are_noticed(tmp_path):
    part = Part(tmp_path, 0)
    part.append(record(1, 0.5))
    with part.path.open('a') as file:
        file.write(json.dumps(record(2)) + '\n')
    with pytest.raises(ValueError, match='holds 2 videos, but this process finished 1'):
        part.records()


def test_an_interrupted_test_is_continued_by_fewer_processes(tmp_path):
    parts = [open_part(tmp_path, rank, 3, fingerprint='a') for rank in range(3)]
    for rank, part in enumerate(parts):
        part.append(record(rank, 0.5))
        part.close()
    with part_path(tmp_path, 0).open('a') as file:
        file.write('{"video_id": 8, "resu')
    with pytest.raises(ValueError, match='another checkpoint or config'):
        open_part(tmp_path, 0, 1, resume=True, fingerprint='b')
    own = open_part(tmp_path, 0, 1, resume=True, fingerprint='a')
    own.append(record(9, 0.25))
    assert [each['video_id'] for each in own.records()] == [0, 1, 2, 9]
    assert [path.name for path in tmp_path.glob('*.jsonl')] == ['results.rank0.jsonl']
    own.close()
    fresh = open_part(tmp_path, 0, 1, fingerprint='b')
    assert fresh.records() == []
    fresh.close()


def test_any_process_may_open_its_part_first(tmp_path):
    second = open_part(tmp_path, 1, 2, resume=True, fingerprint='a')
    first = open_part(tmp_path, 0, 2, resume=True, fingerprint='a')
    assert first.count == second.count == 0
    first.close()
    second.close()
