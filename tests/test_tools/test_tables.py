"""Tables of configs: rows, their changes and how figures are shown."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from run_table import paper_table, result_rows, results_table, summarize
from tables import choose_rows, config_of, load_table, own_variables, set_frames_per_step

BASE = """
model = dict(bbox_head=dict(num_frames=3, towers=dict(cls='2d', box='3d')))
train_dataloader = dict(batch_size=4, dataset=dict(num_frames=3))
"""
CHANGE = """
_base_ = './main.py'
model = dict(bbox_head=dict(num_frames=1, towers=dict(box='2d')))
train_dataloader = dict(dataset=dict(num_frames=1))
"""
TABLE = dict(
    title='Clips',
    columns=['T'],
    metrics=['AP', 'FPS'],
    rows=[
        dict(cells=['1'], config='one.py', paper=[30.7, 23.5]),
        dict(cells=['3'], config='../main.py'),
    ],
)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / 'home'
    folder.mkdir()
    (tmp_path / 'main.py').write_text(BASE)
    (folder / 'one.py').write_text(CHANGE.replace('./', '../'))
    (folder / 'tables.json').write_text(json.dumps(dict(x=TABLE)))
    return folder


def test_rows_name_their_configs(home):
    table = load_table(home / 'tables.json', 'x')
    first, second = table.rows
    assert (first.name, second.name) == ('one', 'main')
    assert first.weights == first.config == home / 'one.py'
    assert first.paper == (30.7, 23.5) and second.paper == ()
    assert choose_rows(table, ['main']) == [second]
    assert choose_rows(table, None) == [first, second]


def test_mistakes_are_named(home):
    with pytest.raises(ValueError, match='no table "y", choose one of x'):
        load_table(home / 'tables.json', 'y')
    table = load_table(home / 'tables.json', 'x')
    with pytest.raises(ValueError, match='no row two, choose of one, main'):
        choose_rows(table, ['one', 'two'])
    wrong = dict(TABLE, rows=[dict(cells=['1'], config='a.py', paper=[1.0])])
    (home / 'tables.json').write_text(json.dumps(dict(x=wrong)))
    with pytest.raises(ValueError, match='table "x", row 1: "cells" needs 1'):
        load_table(home / 'tables.json', 'x')


def test_changes_go_on_another_base(home):
    assert own_variables(home / 'one.py') == dict(
        model=dict(bbox_head=dict(num_frames=1, towers=dict(box='2d'))),
        train_dataloader=dict(dataset=dict(num_frames=1)),
    )
    other = home / 'other.py'
    other.write_text(BASE.replace('cls', 'norm') + 'more = 1\n')
    cfg = config_of(home / 'one.py', home, other)
    assert cfg.model.bbox_head.to_dict() == dict(num_frames=1, towers=dict(norm='2d', box='2d'))
    assert cfg.train_dataloader.batch_size == 4 and cfg.more == 1
    own = config_of(home / 'one.py', home)
    assert own.model.bbox_head.towers == dict(cls='2d', box='2d')
    # the main config is the base itself
    same = config_of(home.parent / 'main.py', home, other)
    assert same.to_dict() == Config.fromfile(other).to_dict()


def test_changes_must_be_plain_values(home):
    (home / 'one.py').write_text("_base_ = '../main.py'\nmodel = {{_base_.model}}\n")
    with pytest.raises(ValueError, match='one.py cannot be put on another'):
        own_variables(home / 'one.py')


@pytest.mark.parametrize('length, processes, batch', [(1, 1, 12), (3, 1, 4), (3, 2, 2)])
def test_steps_see_as_many_frames(length, processes, batch):
    cfg = Config(
        dict(model=dict(bbox_head=dict(num_frames=length)), train_dataloader=dict(batch_size=9))
    )
    set_frames_per_step(cfg, 12, processes)
    assert cfg.train_dataloader.batch_size == batch


def test_frames_that_make_no_whole_clips_are_refused():
    cfg = Config(dict(model=dict(bbox_head=dict(num_frames=5))))
    with pytest.raises(ValueError, match='choose a multiple of 10'):
        set_frames_per_step(cfg, 12, 2)


def test_mean_and_spread_by_hand():
    # deviations -.02, 0, .02: the root of .0008 / 2
    found = summarize([0.30, 0.32, 0.34])
    assert found['mean'] == pytest.approx(0.32)
    assert found['std'] == pytest.approx(0.02)
    assert summarize([0.5]) == dict(mean=0.5, std=None, values=[0.5])


def test_results_in_the_form_of_the_paper(home):
    table = load_table(home / 'tables.json', 'x')
    runs = dict(one=[dict(AP=0.30, FPS=20.0), dict(AP=0.32, FPS=21.0), dict(AP=0.34, FPS=22.0)])
    results = result_rows(table.rows, table.metrics, runs, dict(main=[0, 1]))
    assert results_table(table, results).splitlines() == [
        '| T | AP | FPS | runs | config |',
        '| --- | --- | --- | --- | --- |',
        '| 1 | 32.0 ± 2.0 | 21.0 ± 1.0 | 3 | one |',
        '| 3 | - | - | 0 (2 failed) | main |',
    ]
    assert results[1] == dict(cells=['3'], config='main', runs=0, failed=[0, 1], metrics={})


def test_paper_table(home):
    table = load_table(home / 'tables.json', 'x')
    assert paper_table(table).splitlines()[2:] == [
        '| 1 | 30.7 | 23.5 | `one` |',
        '| 3 | - | - | `main` |',
    ]


def test_file_is_found_relative_to_the_tables(home, monkeypatch):
    monkeypatch.chdir(home)
    row = load_table(Path('tables.json'), 'x').rows[0]
    assert row.home == row.config.parent
