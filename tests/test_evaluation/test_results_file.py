import json
import zipfile

import pytest

from mmcico.evaluation import merge_parts
from mmcico.evaluation.results_file import (
    append_record,
    part_path,
    read_part,
    save_results,
    unique_records,
)


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


def test_one_record_a_video_in_order():
    records = unique_records([record(10, 0.1), record('b'), record(2), record(10, 0.9)])
    assert [each['video_id'] for each in records] == [2, 10, 'b']
    assert records[1]['results'][0]['score'] == 0.1


def test_parts_of_a_crashed_run_become_a_submission(tmp_path):
    append_record(part_path(tmp_path, 1), record(7, 0.7))
    append_record(part_path(tmp_path, 0), record(3, 0.3))
    append_record(part_path(tmp_path, 0), record(7, 0.2))  # seen by rank 1 too
    with part_path(tmp_path, 1).open('a') as file:
        file.write('{"video_id": 8, "resu')
    assert merge_parts(tmp_path) == 2
    tracks = json.loads((tmp_path / 'results.json').read_text())
    assert [(each['video_id'], each['score']) for each in tracks] == [(3, 0.3), (7, 0.2)]


def test_broken_line_is_named(tmp_path):
    path = part_path(tmp_path, 0)
    path.write_text('{"video_id": 1, "results": []}\n{"video\n{}\n')
    with pytest.raises(ValueError, match=r'rank0\.jsonl: line 2 is not JSON'):
        read_part(path)


def test_nothing_to_merge(tmp_path):
    with pytest.raises(ValueError, match='holds no results.rank<r>.jsonl'):
        merge_parts(tmp_path)
