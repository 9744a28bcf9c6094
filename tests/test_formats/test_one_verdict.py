"""Data set, metric, check_dataset and convert refuse the same files."""

import json

import pytest
from odd_files import odd_files

from mmcico.analysis.check_file import check_data
from mmcico.datasets import VISDataset
from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.json_files import json_videos
from mmcico.evaluation import read_ground_truth
from mmcico.formats.read import read_annotations

ODD = {what: (data, is_refused) for what, data, is_refused in odd_files()}


def refuses(use):
    """Whether a use ends in an error of one line that names the file."""
    try:
        use()
    except ValueError as error:
        assert 'odd.json' in str(error) and '\n' not in str(error)
        return True
    return False


@pytest.mark.parametrize('what', ODD)
def test_one_verdict(tmp_path, what):
    data, expected = ODD[what]
    path = tmp_path / 'odd.json'
    path.write_text(json.dumps(data))
    data = json.loads(path.read_text())
    verdicts = dict(
        dataset=refuses(lambda: VISDataset(ann_file=str(path), test_mode=True)),
        metric=refuses(lambda: read_ground_truth(path)),
        convert=refuses(lambda: list(json_videos(data, 'odd.json', ClassTable()))),
    )
    problems = check_data(data, 'odd.json')
    verdicts['check'] = problems.is_refused
    assert verdicts == dict.fromkeys(verdicts, expected)
    if expected:
        first = next(each for each in problems.found if each.refused)
        with pytest.raises(ValueError) as error:
            read_annotations(data, 'odd.json')
        assert error.value.problem.kind in {each.kind for each in problems.found}
        assert first.place.file == 'odd.json'


def test_one_crowd_frame_is_left_out_and_counted():
    data, _ = ODD['one crowd frame']
    whole = read_annotations(data, 'f.json', crowds_as_objects=True)
    file = read_annotations(data, 'f.json')
    assert file.left_out == {'crowd frames of single objects': 1}
    assert file.num_crowds == whole.num_crowds + 1
    masks = [
        sum(t.seen(i) for v in each.videos for t in v.tracks for i in range(v.length))
        for each in (file, whole)
    ]
    assert masks[0] == masks[1] - 1
    assert 'left out 1 crowd frames' in file.summary() and len(file.warnings) == 1


def test_crowds_are_counted_and_the_flag_can_be_dropped():
    data, _ = ODD['iscrowd null']
    for each in data['annotations']:
        each['iscrowd'] = 1
    file = read_annotations(data, 'f.json')
    assert file.num_crowds == 3
    assert '3 of 3 objects are crowds' in file.warnings[0]
    assert 'kept 2 videos, 0 objects, 5 masks, 3 crowds' in file.summary()
    file = read_annotations(data, 'f.json', crowds_as_objects=True)
    assert file.num_crowds == 0 and not file.warnings
