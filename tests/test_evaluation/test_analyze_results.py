import csv
import io
import json

import numpy as np
import pytest
from tool_runs import HIDDEN, run_without
from vis_files import annotation, ground_truth, result, write_golden

from mmcico.evaluation import read_ground_truth, read_results
from mmcico.evaluation.diagnosis import diagnose, format_summary, write_diagnosis
from mmcico.evaluation.diagnosis.plots import draw_confusion, draw_curves, has_matplotlib
from mmcico.evaluation.diagnosis.report import confusion_rows, write_csv

NAMES = ['metrics', 'classes', 'curves', 'confusion', 'errors']
LEFT, RIGHT = (0, 0, 4, 4), (5, 0, 9, 4)


@pytest.fixture
def files(tmp_path):
    write_golden(tmp_path)
    return tmp_path


def run(folder, *args):
    return run_without(
        folder,
        'analysis_tools/analyze_results.py',
        'gt.json',
        'results.json',
        *args,
        hidden=(*HIDDEN, 'matplotlib'),
    )


def rows_of(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def test_all_files_without_openmmlab_and_matplotlib(files):
    done = run(files, '--out', 'new/analysis')
    assert done.returncode == 0, done.stderr
    out = files / 'new' / 'analysis'
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [f'{name}.json' for name in NAMES + ['frames', 'identities']]
        + [f'{name}.csv' for name in NAMES[1:] + ['frames']]
    )
    assert 'no plots, because matplotlib is not installed' in done.stdout
    metrics = json.loads((out / 'metrics.json').read_text())
    errors = json.loads((out / 'errors.json').read_text())
    assert errors['oracles']['as it is']['AP'] == pytest.approx(metrics['AP'])
    base = f'{100 * metrics["AP"]:.1f}'
    assert done.stdout.splitlines()[1].split() == [
        '(as',
        'it',
        'is)',
        base,
        f'{100 * metrics["AP50"]:.1f}',
        f'{100 * metrics["AP75"]:.1f}',
    ]
    by_class = {row['class']: row for row in rows_of(out / 'classes.csv')}
    assert by_class['class_6']['AP'] == ''  # no objects
    for name, value in zip(metrics['classes'], metrics['AP_per_class']):
        if value is not None:
            assert float(by_class[name]['AP']) == pytest.approx(value)
    points = rows_of(out / 'curves.csv')
    known = [name for name in by_class if by_class[name]['AP']]
    assert len(points) == len(known) * 3 * 101
    frames = json.loads((out / 'frames.json').read_text())
    assert len(frames['frames']) == len(rows_of(out / 'frames.csv'))


def test_parts_can_be_left_out(files):
    done = run(files, '--out', 'out', '--no-frames', '--metric', 'ovis')
    assert done.returncode == 0, done.stderr
    assert not (files / 'out' / 'frames.json').exists()
    metrics = json.loads((files / 'out' / 'metrics.json').read_text())
    assert 'AP_heavy' in metrics and 'each frame' not in done.stdout


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('gt.json', json.dumps(ground_truth()), 'has no annotations'),
        ('results.json', '[{"video_id": 99}]', "field 'video_id' = 99"),
        ('results.json', '[', 'results.json is not complete JSON'),
    ],
)
def test_unusable_files(files, name, content, message):
    (files / name).write_text(content)
    done = run(files, '--out', 'out')
    assert done.returncode == 1
    assert message in done.stderr and 'Traceback' not in done.stderr
    assert not (files / 'out').exists()


def test_a_folder_that_cannot_be_written_loses_no_summary(files):
    done = run(files, '--out', 'gt.json')
    assert done.returncode == 1 and 'cannot write the file' in done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == ['(as', 'it', 'is)']


def test_unknown_metric(files):
    done = run(files, '--out', 'out', '--metric', 'coco')
    assert done.returncode == 2 and "choice: 'coco'" in done.stderr
    done = run(files, '--out', 'out', '--long-videos', 'long.json')
    assert done.returncode == 2 and 'the metric ytvis2022' in done.stderr


def found_of(annotations, results, length=4):
    truth = read_ground_truth(ground_truth(annotations, lengths=[length]))
    return diagnose(truth, read_results(results, truth))


def test_summary_names_what_to_mend_first():
    found = found_of(
        [annotation([LEFT] * 4), annotation([RIGHT] * 4)],
        [result([LEFT] * 2 + [RIGHT] * 2), result([RIGHT] * 2 + [LEFT] * 2, 0.8)],
    )
    lines = format_summary(
        found['errors'], found['frames']['total'], found['identities']
    ).splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines[2:9]}
    assert table['association'] == ['100.0', '+100.0', '100.0', '100.0']
    assert table['segmentation'] == ['0.0', '+0.0', '0.0', '0.0']
    assert 'predictions at IoU 0.5: 2 weak overlap' in lines
    assert 'objects at IoU 0.5: 2, of these 0 found, 0 missed' in lines
    assert 'each frame as an image: box AP 100.0, mask AP 100.0' in lines
    assert (
        'tracks with a score of at least 0.3 find 8 of 8 objects x frames; '
        '2 identity switches, 0 gaps'
    ) in lines
    advice = lines.index('what to improve, the largest gain first:')
    assert lines[advice + 1].startswith('- association (+100.0): ids change')
    assert not [line for line in lines[advice + 2 :] if line[0] != ' ']
    assert max(map(len, lines)) <= 100


def test_identities_of_what_a_user_sees():
    found = found_of(
        [
            annotation([LEFT, LEFT, None, LEFT]),
            annotation([RIGHT] * 4, 11),
            annotation([RIGHT] * 4, 11, iscrowd=1),
        ],
        [
            result([LEFT, None, None, LEFT], 0.9, 11),
            result([RIGHT, RIGHT, RIGHT, None], 0.3),
            result([None, None, None, RIGHT], 0.4),
            result([LEFT] * 4, 0.2),
        ],
    )['identities']
    # LEFT: found, missed, not there, found again; RIGHT: found by another
    counts = dict(objects=7, found=6, false=0, switches=1, fragments=1)
    assert found == dict(
        score_thr=0.3,
        iou_thr=0.5,
        **counts,
        videos=[dict(video_id=found['videos'][0]['video_id'], **counts)],
    )


def test_summary_of_a_perfect_result_and_of_no_objects():
    perfect = found_of([annotation([LEFT] * 4)], [result([LEFT] * 4)])
    assert 'no single kind of error' in format_summary(perfect['errors'])
    nothing = found_of([annotation([LEFT] * 4, iscrowd=1)], [])
    text = format_summary(nothing['errors'], nothing['frames']['total'])
    assert 'no objects to be found' in text and 'box AP -' in text


@pytest.mark.skipif(not has_matplotlib(), reason='figures need matplotlib, not installed')
def test_figures(tmp_path):
    for name, found in dict(
        some=found_of([annotation([LEFT] * 4)], [result([RIGHT] * 4)]),
        none=found_of([annotation([LEFT] * 4, iscrowd=1)], []),
    ).items():
        told = write_diagnosis(tmp_path / name, found)
        assert told.endswith('tables, errors.png, curves.png, confusion.png')
        for figure in ('errors', 'curves', 'confusion'):
            data = (tmp_path / name / f'{figure}.png').read_bytes()
            assert data.startswith(b'\x89PNG') and len(data) > 3000


@pytest.mark.skipif(not has_matplotlib(), reason='figures need matplotlib, not installed')
def test_class_names_are_drawn_as_they_are():
    names = ['$\\wrong$', '_hidden']
    figure = draw_curves(dict(recall=[0, 1], precision={each: {'0.50': [1, 0]} for each in names}))
    legend = figure.axes[1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == names
    confusion = dict(columns=[*names, 'missed'], rows=[*names, 'duplicate'], matrix=np.eye(3))
    for each in (figure, draw_confusion(confusion)):
        each.savefig(io.BytesIO())


def test_classes_may_have_the_names_of_other_columns(tmp_path):
    confusion = dict(
        columns=['object', 'missed'], rows=['object', 'background'], matrix=[[3, 1], [2, 0]]
    )
    write_csv(tmp_path / 'a.csv', confusion_rows(confusion))
    assert (tmp_path / 'a.csv').read_text() == 'object,object,missed\nobject,3,1\nbackground,2,0\n'


def test_long_videos_are_passed_on(files):
    (files / 'long.json').write_text('[1]')
    done = run(
        files, '--out', 'out', '--no-frames', '--metric', 'ytvis2022', '--long-videos', 'long.json'
    )
    assert done.returncode == 0, done.stderr
    metrics = json.loads((files / 'out' / 'metrics.json').read_text())
    assert metrics['mAP'] == pytest.approx((metrics['mAP_short'] + metrics['mAP_long']) / 2)


def test_rounding_errors_have_no_sign():
    found = found_of([annotation([LEFT] * 4)], [result([LEFT] * 4)])
    found['errors']['oracles']['coverage']['gain'] = -1e-16
    text = format_summary(found['errors'])
    assert '-0.0' not in text and text.count('+0.0') == 7
