"""check_dataset, split, stats and temporal_coherence as users run them."""

import json

import pytest
from small_sets import small_cocovid, small_set
from tool_runs import HIDDEN, run_without

TOOLS = dict(
    check='dataset_tools/check_dataset.py',
    split='dataset_tools/split.py',
    stats='dataset_tools/stats.py',
    coherence='benchmarks/temporal_coherence.py',
    benchmark='benchmarks/coherence_benchmark.py',
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(small_set()))
    (tmp_path / 'cocovid.json').write_text(json.dumps(small_cocovid()))
    bad = small_set()
    bad['annotations'][0]['areas'][1] = 9
    bad['annotations'][1]['bboxes'][1] = [0, 0, 9, 9]
    (tmp_path / 'bad.json').write_text(json.dumps(bad))
    (tmp_path / 'cut.json').write_text('{"videos": [')
    return tmp_path


def run(folder, tool, *args):
    done = run_without(folder, TOOLS[tool], *args, hidden=(*HIDDEN, 'cv2'))
    assert 'Traceback' not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize('name', ['a.json', 'cocovid.json'])
def test_sound_file_ends_with_zero(folder, name):
    done = run(folder, 'check', name)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        'checked: 2 videos, 5 frames, 3 objects, 5 masks, 1 crowds',
        f'{name}: 0 errors, 0 warnings; sound',
    ]


def test_defects_are_listed_and_end_with_one(folder):
    done = run(folder, 'check', 'bad.json', '--json', 'out/report.json')
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split(' bad.json')[0] for line in lines[:3]] == [
        'error [area]',
        'error [box]',
        'error [box]',
    ]
    assert lines[-1] == 'bad.json: 3 errors, 0 warnings'
    report = json.loads((folder / 'out/report.json').read_text())
    assert report['summary'] == dict(
        area=dict(errors=1, warnings=0), box=dict(errors=2, warnings=0)
    )
    assert report['defects'][0] == dict(
        level='error',
        kind='area',
        file='bad.json',
        video=0,
        frame=1,
        file_name='a/10.jpg',
        annotation=0,
        field='areas',
        value=9,
        message='the mask has 8 pixels',
    )
    only = run(folder, 'check', 'bad.json', '--json')
    assert only.returncode == 1 and json.loads(only.stdout) == report


@pytest.mark.parametrize('tool', ['check', 'stats', 'coherence'])
def test_text_is_there_though_the_json_cannot_be_written(folder, tool):
    text = run(folder, tool, 'a.json').stdout
    done = run(folder, tool, 'a.json', '--json', '.')
    assert (done.returncode, done.stdout) == (1, text)
    assert 'cannot write the file .: Is a directory' in done.stderr


def test_tolerance_is_an_option(folder):
    done = run(folder, 'check', 'bad.json', '--box-tolerance', '3')
    assert done.stdout.count('[box]') == 1  # it still leaves the frame
    for wrong in ('-1', 'nan'):
        done = run(folder, 'check', 'bad.json', '--box-tolerance', wrong)
        assert (done.returncode, done.stdout) == (2, '')
        assert '--box-tolerance' in done.stderr.splitlines()[-1]


def test_missing_folder_and_cut_file(folder):
    done = run(folder, 'check', 'a.json', '--images', 'none')
    assert done.returncode == 1 and 'none is not a folder' in done.stderr
    done = run(folder, 'check', 'cut.json')
    assert done.returncode == 1 and 'not complete JSON' in done.stdout


@pytest.mark.parametrize('method', ['last', 'random', 'stratified'])
def test_split_writes_two_files_that_the_reader_loads(folder, method):
    for _ in range(2):  # the same again, over the files of the first time
        done = run(folder, 'split', 'a.json', '--method', method)
        assert done.returncode == 0, done.stderr
    assert [line.split(':')[0] for line in done.stdout.splitlines()] == [
        'train_sub.json',
        'valid_sub.json',
    ]
    from mmcico.datasets import VISDataset

    parts = [
        VISDataset(ann_file=str(folder / f'{name}_sub.json'), test_mode=True)
        for name in ('train', 'valid')
    ]
    ids = [part.videos[0].id for part in parts]
    assert sorted(ids) == [0, 7] and (method != 'last' or ids == [0, 7])
    assert parts[0].metainfo['classes'] == parts[1].metainfo['classes']


@pytest.mark.parametrize(
    'args, code, message',
    [
        (['a.json', '--num-valid', '2'], 1, '2 of them for validation'),
        (['a.json', '--num-valid', '0'], 2, '--num-valid: 0 is not'),
        (['a.json', '--fraction', '1.5'], 2, 'not between 0 and 1'),
        (['a.json', '--names', 'a.json', 'b.json'], 1, 'must be three files'),
        (['a.json', '--names', 'b.json', 'b.json'], 1, 'must be three files'),
        (['cut.json'], 1, 'cut.json is not complete JSON'),
        (['none.json'], 1, 'none.json cannot be read'),
    ],
)
def test_split_refuses(folder, args, code, message):
    before = sorted(path.name for path in folder.iterdir())
    done = run(folder, 'split', *args)
    assert done.returncode == code and message in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before
    assert json.loads((folder / 'a.json').read_text()) == small_set()


def test_stats(folder):
    done = run(folder, 'stats', 'cocovid.json', '--json', 'stats.json')
    assert done.returncode == 0
    assert ['objects', '2'] in [s.split() for s in done.stdout.splitlines()]
    stats = json.loads((folder / 'stats.json').read_text())
    assert stats['objects'] == 2
    assert json.loads(run(folder, 'stats', 'cocovid.json', '--json').stdout) == stats
    done = run(folder, 'stats', 'cut.json')
    assert done.returncode == 1 and 'mmcico check lists' in done.stderr


def test_coherence(folder):
    done = run(
        folder, 'coherence', 'a.json', '--json', 'c.json', '--plot', 'c.png', '--intervals', '2'
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / 'c.json').read_text())
    assert list(found['masks']) == ['1', '2']
    assert found['masks']['1']['mean'] == pytest.approx(0.6)
    assert (folder / 'c.png').stat().st_size > 1000
    done = run(folder, 'coherence', 'a.json', '--intervals', '0')
    assert done.returncode == 2 and '--intervals: 0 is not' in done.stderr


@pytest.mark.parametrize('form', [[], ['--compressed']])
def test_benchmark_makes_a_sound_file(folder, form):
    done = run(
        folder,
        'benchmark',
        '--frames',
        '20',
        '--length',
        '10',
        '--objects',
        '3',
        '--keep',
        'blobs.json',
        *form,
    )
    assert done.returncode == 0, done.stderr
    assert '2 videos, 3 objects' in done.stdout
    assert 'peak memory' in done.stdout.splitlines()[-1]
    done = run(folder, 'check', 'blobs.json')
    assert done.returncode == 0, done.stdout
    assert '2 videos, 20 frames, 3 objects' in done.stdout


def test_crowds_are_counted_and_may_be_objects(folder):
    data = small_set()
    for each in data['annotations']:
        each['iscrowd'] = 1
    (folder / 'crowds.json').write_text(json.dumps(data))
    done = run(folder, 'check', 'crowds.json')
    assert done.returncode == 0
    assert "warning [crowd] crowds.json: field 'iscrowd': 3 of 3 objects are crowds" in done.stdout
    assert '3 objects, 5 masks, 3 crowds' in done.stdout
    found = json.loads(run(folder, 'stats', 'crowds.json', '--json').stdout)
    assert (found['objects'], found['crowds']) == (0, 3)
    found = json.loads(run(folder, 'stats', 'crowds.json', '--crowds-as-objects', '--json').stdout)
    assert (found['objects'], found['crowds']) == (3, 0)


def test_classes_of_two_parts_are_compared(folder):
    data = small_set()
    first, second = data['categories']
    first['name'], second['name'] = second['name'], first['name']
    (folder / 'val.json').write_text(json.dumps(data))
    assert run(folder, 'check', 'val.json').returncode == 0
    done = run(folder, 'check', 'val.json', '--classes-of', 'a.json')
    assert done.returncode == 1
    assert "= 'dog': has the id 3, in a.json it has the id 40" in done.stdout
