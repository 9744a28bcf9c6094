import json

import pytest
from tool_runs import run_unread, run_without
from vis_files import golden, ground_truth, write_golden


@pytest.fixture
def files(tmp_path):
    write_golden(tmp_path)
    return tmp_path


def run(folder, *args):
    return run_without(folder, 'eval.py', *args)


def test_figures_without_openmmlab_from_another_folder(files):
    done = run(files, 'gt.json', 'results.json', '--out', 'new/metrics.json')
    assert done.returncode == 0, done.stderr
    metrics = json.loads((files / 'new/metrics.json').read_text())
    expected = golden()[2]
    assert metrics['AP'] == pytest.approx(expected['AP'], abs=1e-9)
    assert metrics['AP_per_class'][5] is None
    assert metrics['classes'][5] == 'class_6'
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ['%', 'AP', 'AP50', 'AP75']
    assert lines[1].split()[:3] == ['29.2', '56.0', '29.2']
    assert lines[-1].split() == ['class_6', '-']


def test_occlusion_is_asked_for_but_absent(files):
    done = run(files, 'gt.json', 'results.json', '--metric', 'ovis')
    assert done.returncode == 0
    assert '25 annotations of gt.json have no field occlusion' in done.stderr
    assert 'AP_heavy' in done.stdout


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('gt.json', '{"videos": [', 'gt.json is not complete JSON'),
        ('gt.json', json.dumps(ground_truth()), 'has no annotations'),
        ('results.json', '[{"video_id": 99}]', "field 'video_id' = 99"),
    ],
)
def test_unusable_files_end_with_one_and_a_message(files, name, content, message):
    (files / name).write_text(content)
    done = run(files, 'gt.json', 'results.json')
    assert done.returncode == 1
    assert message in done.stderr and 'Traceback' not in done.stderr


def test_figures_are_printed_even_if_they_cannot_be_written(files):
    (files / 'folder').mkdir()
    done = run(files, 'gt.json', 'results.json', '--out', 'folder')
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].split()[:2] == ['%', 'AP']
    assert 'error: cannot write the file folder: ' in done.stderr


def test_eval_still_writes_its_figures(files):
    assert run_unread(files, 'eval.py', 'gt.json', 'results.json', '--out', 'figures.json') == (
        0,
        '',
    )
    assert 0 < json.loads((files / 'figures.json').read_text())['AP'] < 1


@pytest.mark.parametrize(
    'args, message',
    [
        (['--long-videos', 'x.json'], '--long-videos) goes with the metric ytvis2'),
        (['--processes', '0'], '--processes: 0 is not a whole number from 1 up'),
        (['--out', './results.json'], '--out ./results.json is a file to be measured'),
        (['--metric', 'coco'], "invalid choice: 'coco'"),
    ],
)
def test_wrong_usage_ends_with_two(files, args, message):
    done = run(files, 'gt.json', 'results.json', *args)
    assert (done.returncode, done.stdout) == (2, '')
    assert message in done.stderr


def test_other_code_pages_escape_what_they_lack(files):
    truth = json.loads((files / 'gt.json').read_text())
    truth['categories'][0]['name'] = '猫'
    (files / 'gt.json').write_text(json.dumps(truth))
    done = run_without(
        files,
        'eval.py',
        'gt.json',
        'results.json',
        '--out',
        'm.json',
        env=dict(PYTHONIOENCODING='cp1252'),
    )
    assert done.returncode == 0, done.stderr
    assert '\\u732b' in done.stdout
    assert json.loads((files / 'm.json').read_text())['classes'][0] == '猫'
