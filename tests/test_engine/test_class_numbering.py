"""Classes are matched by name between files, or refused."""

import json
from types import SimpleNamespace as Box

import pytest
import tiny_video as tiny
from mmdet.datasets import ConcatDataset
from mmengine.logging import MMLogger

from mmcico.datasets import VISDataset
from mmcico.engine import ClassCheckHook


def written(folder, name, change=None):
    """The tiny file with other category ids: the order of the names is another."""
    data = tiny.content()
    if change is not None:
        for each in data['categories']:
            each['id'] = change[each['id']]
        for each in data['annotations']:
            each['category_id'] = change[each['category_id']]
    path = folder / name
    path.write_text(json.dumps(data))
    return str(path)


def dataset(path, **kwargs):
    kwargs.setdefault('pipeline', [])
    return VISDataset(ann_file=path, test_mode=True, **kwargs)


def runner(train=None, val=None, test=None, ann_file=None, resume=False):
    def loader(data):
        return None if data is None else Box(dataset=data)

    evaluator = Box(dataset_meta={}, metrics=[Box(ann_file=ann_file)])
    return Box(
        model=Box(),
        train_dataloader=loader(train),
        val_dataloader=loader(val),
        test_dataloader=loader(test),
        val_evaluator=evaluator,
        test_evaluator=evaluator,
        visualizer=Box(),
        logger=MMLogger.get_instance('classes'),
        _resume=resume,
    )


NUMBERS = {0: 50, 5: 2, 40: 7}


def test_a_file_of_other_numbers_is_matched_by_name(tmp_path):
    train = dataset(written(tmp_path, 'train.json'))
    val = dataset(written(tmp_path, 'val.json', NUMBERS))
    assert train.metainfo['classes'] == ('cat', 'Vehical', 'Giant panda')
    assert val.metainfo['classes'] == ('Vehical', 'Giant panda', 'cat')
    run = runner(train, val, ann_file=val.ann_file)
    ClassCheckHook().before_train(run)
    assert val.metainfo['classes'] == train.metainfo['classes']
    assert val.metainfo['category_ids'] == (50, 2, 7)
    assert run.val_evaluator.dataset_meta == val.metainfo == run.visualizer.dataset_meta
    for each in (train, val):
        frame = each.get_data_info(0)['frames'][0]
        assert [one['bbox_label'] for one in frame['instances']] == [2, 1]


def test_parts_with_other_ids_train_together(tmp_path):
    parts = [
        dataset(written(tmp_path, f'{start}.json', {0: start, 5: start + 5, 40: start + 40}))
        for start in (0, 100)
    ]
    both = ConcatDataset(parts)
    assert isinstance(both.metainfo, list)
    ClassCheckHook().before_train(runner(both))
    # checkpoints hold it
    assert both.metainfo['classes'] == ('cat', 'Vehical', 'Giant panda')
    assert parts[1].metainfo['category_ids'] == (100, 105, 140)
    parts[1] = dataset(written(tmp_path, 'c.json', NUMBERS))
    with pytest.raises(ValueError, match=r"a part of the training set has .*classes=\('cat'"):
        ClassCheckHook().before_train(runner(ConcatDataset(parts)))


def test_the_checkpoint_numbers_the_test_set(tmp_path):
    test = dataset(written(tmp_path, 'test.json'))
    hook = ClassCheckHook()
    meta = dict(dataset_meta=dict(classes=['giant panda', 'cat', 'vehicle']))
    hook.after_load_checkpoint(None, dict(meta=meta))
    hook.before_test(runner(test=test))
    assert test.metainfo['category_ids'] == (40, 0, 5)


@pytest.mark.parametrize('stage', ['val', 'test'])
def test_other_names_are_refused(tmp_path, stage):
    data = dataset(written(tmp_path, 'a.json'))
    hook = ClassCheckHook()
    hook.after_load_checkpoint(None, dict(meta=dict(dataset_meta=dict(classes=('a', 'b', 'cat')))))
    with pytest.raises(ValueError, match=r"a\.json has other classes .*without \['a', 'b'\]"):
        getattr(hook, f'before_{stage}')(runner(**{stage: data}))
    quiet = ClassCheckHook(check_names=False)
    quiet.loaded = hook.loaded
    getattr(quiet, f'before_{stage}')(runner(**{stage: data}))


def test_the_file_of_the_evaluator_must_have_the_ids(tmp_path):
    data = dataset(written(tmp_path, 'a.json'))
    other = written(tmp_path, 'b.json', NUMBERS)
    with pytest.raises(ValueError, match=r"category 0 is None; the data set .* 'cat'"):
        ClassCheckHook().before_test(runner(test=data, ann_file=other))
    copied = written(tmp_path, 'c.json')
    ClassCheckHook().before_test(runner(test=data, ann_file=copied))


@pytest.mark.parametrize(
    'old, new, is_same',
    [
        ('v7/00005.jpg', 'v8/00005.jpg', False),  # a video of another set with the same id
        ('"v7/00005.jpg", ', '', False),
        ('v0/', 'else/where/v0/', True),
        ('.jpg', '.png', True),
    ],
)
def test_the_file_of_the_evaluator_must_have_the_videos(tmp_path, old, new, is_same):
    data = dataset(written(tmp_path, 'a.json'))
    other = tmp_path / 'b.json'
    text = json.dumps(tiny.content())
    assert old in text
    other.write_text(text.replace(old, new))
    run = runner(test=data, ann_file=str(other))
    if is_same:
        ClassCheckHook().before_test(run)
        return
    with pytest.raises(ValueError, match=r"b.json, whose video 7 .*a.json has 'v7/00005.jpg'"):
        ClassCheckHook().before_test(run)
    ClassCheckHook(check_names=False).before_test(run)


def test_other_objects_in_the_file_of_the_evaluator_are_told(tmp_path, monkeypatch):
    told = []
    log = 'mmcico.engine.start_checks.print_log'
    monkeypatch.setattr(log, lambda text, **more: told.append(text))
    data = dataset(written(tmp_path, 'a.json'))
    ClassCheckHook().before_test(runner(test=data, ann_file=written(tmp_path, 'b.json')))
    assert not told
    content = tiny.content()
    del content['annotations'][0]  # of video 7, which has three with the crowd
    (tmp_path / 'b.json').write_text(json.dumps(content))
    ClassCheckHook().before_test(runner(test=data, ann_file=str(tmp_path / 'b.json')))
    assert len(told) == 1 and 'where video 7 has 2 objects' in told[0]
    assert 'has 3 there, and 1 of 2 videos differ' in told[0]
    content['annotations'] = []
    (tmp_path / 'a.json').write_text(json.dumps(content))  # official files have none
    data = dataset(str(tmp_path / 'a.json'))
    ClassCheckHook().before_test(runner(test=data, ann_file=str(tmp_path / 'b.json')))
    assert len(told) == 1


@pytest.mark.parametrize('resume', [False, True])
def test_a_training_that_goes_on_must_number_alike(tmp_path, resume):
    train = dataset(written(tmp_path, 'a.json'))
    hook = ClassCheckHook()
    hook.loaded = ('Vehical', 'cat', 'Giant panda')
    with pytest.raises(ValueError, match=r"metainfo=dict\(classes=\('Vehical', 'cat'"):
        hook.before_train(runner(train, resume=resume))
    hook.loaded = ('one', 'two', 'three')
    if resume:
        with pytest.raises(ValueError, match='labels would have other meanings'):
            hook.before_train(runner(train, resume=True))
    else:
        hook.before_train(runner(train))  # finetuning on other classes
