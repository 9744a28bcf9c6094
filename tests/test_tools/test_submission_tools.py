"""make_submission.py and check_submission.py, without OpenMMLab."""

import json
import zipfile

import pytest
from tool_runs import run_without

RLE = dict(size=[2, 3], counts=[0, 4, 2])


@pytest.fixture
def folder(tmp_path):
    annotations = dict(
        videos=[dict(id=1, height=2, width=3, length=1, file_names=['a'])],
        categories=[dict(id=4, name='cat')],
    )
    (tmp_path / 'ann.json').write_text(json.dumps(annotations))
    write(tmp_path, track())
    return tmp_path


def track(**changes):
    return dict(dict(video_id=1, category_id=4, score=0.25, segmentations=[RLE]), **changes)


def write(folder, *tracks):
    (folder / 'results.json').write_text(json.dumps(tracks))


def make(folder, *args):
    return run_without(
        folder,
        'dataset_tools/make_submission.py',
        'results.json',
        '--ann',
        'ann.json',
        '--out',
        'a.zip',
        *args,
    )


def check(folder, name, *args):
    return run_without(
        folder, 'dataset_tools/check_submission.py', name, '--ann', 'ann.json', *args
    )


def test_from_results_to_a_checked_zip(folder):
    done = make(folder)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "error [mask] results.json: track 0, field 'segmentations': counts are a list "
        '(uncompressed RLE); servers need a text (frames 0)',
        'nothing written: 1 errors, --fix corrects 1 of them',
    ]
    assert not (folder / 'a.zip').exists()
    done = make(folder, '--fix')
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        'fixed: 1 masks: counts written as text',
        'a.zip: 1 tracks, 0.0 MiB',
    ]
    with zipfile.ZipFile(folder / 'a.zip') as file:
        assert file.namelist() == ['results.json']
        (sent,) = json.loads(file.read('results.json'))
    assert sent == track(segmentations=[dict(size=[2, 3], counts='042')])
    done = check(folder, 'a.zip')
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        '',
        'checked: 1 tracks',
        'a.zip: 0 errors, 0 warnings; sound',
    ]


def test_harm_is_not_mended(folder):
    write(folder, track(score=None), track(video_id=2))
    done = make(folder, '--fix')
    assert done.returncode == 1
    assert 'nothing written: 2 errors\n' in done.stdout
    assert not (folder / 'a.zip').exists()


def test_list_of_defects(folder):
    write(folder, track(score=None), track(segmentations=[None]))
    done = check(folder, 'results.json', '--json', 'new/defects.json')
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        'results.json: 2 errors, 1 warnings',
        'make_submission.py --fix corrects 2 of these',
    ]
    defects = json.loads((folder / 'new/defects.json').read_text())
    assert [d['kind'] for d in defects] == ['score', 'mask', 'empty']
    assert [d['level'] for d in defects] == ['error', 'error', 'warning']
    assert [d['track'] for d in defects] == [0, 0, 1]


def test_files_that_cannot_be_used(folder):
    for done in (
        check(folder, 'none.json'),
        run_without(
            folder, 'dataset_tools/check_submission.py', 'ann.json', '--ann', 'results.json'
        ),
    ):
        assert done.returncode == 1
        assert done.stderr.startswith('error: ')
        assert 'Traceback' not in done.stderr
