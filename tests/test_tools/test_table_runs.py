"""Runs of a table with a program that only pretends to train."""

import json
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from table_runs import RunFailed, Settings, TableRunner
from tables import load_table
from tool_runs import tool_module

ROOT = Path(__file__).parents[2]
MAIN = """
model = dict(bbox_head=dict(num_frames=3), decay=1.)
train_dataloader = dict(batch_size=4, dataset=dict(num_frames=3))
val_dataloader = dict(dataset=dict(num_frames=3, overlap=1))
test_dataloader = val_dataloader
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='mmcico.VISMetric')
"""
ONE = """
_base_ = '../main.py'
model = dict(bbox_head=dict(num_frames=1))
val_dataloader = dict(dataset=dict(num_frames=1, overlap=0))
test_dataloader = val_dataloader
"""
TWO = """
_base_ = '../main.py'
val_dataloader = dict(dataset=dict(overlap=2))
test_dataloader = val_dataloader
"""
TABLE = dict(
    title='Clips',
    columns=['T'],
    metrics=['AP', 'FPS'],
    rows=[
        dict(cells=['1'], config='one.py'),
        dict(cells=['3'], config='../main.py'),
        dict(cells=['3*'], config='two.py', weights='../main.py'),
    ],
)


class Pretender:
    """Writes what training and testing write; notes the commands."""

    def __init__(self):
        self.commands = []
        self.broken = set()

    def __call__(self, command, log):
        self.commands.append(command)
        folder = Path(command[command.index('--work-dir') + 1])
        log.write_text('first line\nthe reason\n')
        if folder.parents[1].name in self.broken:
            return 1
        folder.mkdir(exist_ok=True)
        config = next(
            Path(part)
            for part in command
            if part.endswith('.py') and Path(part).parent != ROOT / 'tools'
        )
        cfg = Config.fromfile(config)
        (folder / config.name).write_text('as the runner writes it')
        if {str(ROOT / 'tools' / 'train.py')} & set(command):
            (folder / 'last_checkpoint').write_text(f'{folder}/last.pth')
            return 0
        overlap = cfg.test_dataloader.dataset.overlap
        (folder / 'metrics.json').write_text(
            json.dumps(dict(AP=0.1 + 0.1 * overlap, AP_per_class={}))
        )
        (folder / 'now').mkdir(exist_ok=True)
        (folder / 'now' / 'now.json').write_text(json.dumps(dict(time=0.5)))
        return 0

    def tasks(self):
        """(task, config) of every command."""
        return [(Path(c[1]).stem, Path(c[c.index('--work-dir') + 1])) for c in self.commands]


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / 'home'
    folder.mkdir()
    (tmp_path / 'main.py').write_text(MAIN)
    (folder / 'one.py').write_text(ONE)
    (folder / 'two.py').write_text(TWO)
    (folder / 'tables.json').write_text(json.dumps(dict(x=TABLE)))
    return folder


@pytest.fixture
def rows(home):
    return load_table(home / 'tables.json', 'x').rows


def settings(home, **values):
    return Settings(home / 'runs', ROOT / 'tools', **values)


def test_a_row_is_trained_and_tested(home, rows):
    program = Pretender()
    runner = TableRunner(settings(home, frames_per_step=12, options={'model.decay': 0.5}), program)
    assert runner.figures(rows[0], 7) is None
    # one new frame a clip, half a second each
    assert runner.run(rows[0], 7) == dict(AP=pytest.approx(0.1), FPS=2.0)
    folder = home / 'runs' / 'one' / 'seed_7'
    assert program.tasks() == [('train', folder / 'train'), ('test', folder / 'test')]
    train, test = program.commands
    assert train[0] == sys.executable
    assert test[3] == f'{folder}/train/last.pth'
    cfg = Config.fromfile(folder / 'train.py')
    assert cfg.train_dataloader.batch_size == 12
    assert cfg.randomness.seed == 7 and cfg.model.decay == 0.5
    assert cfg.val_dataloader is None and cfg.val_evaluator is None
    assert cfg.test_dataloader.dataset.num_frames == 1
    assert runner.figures(rows[0], 7)['AP'] == pytest.approx(0.1)


def test_what_is_done_is_not_done_again(home, rows):
    program = Pretender()
    for _ in range(2):
        TableRunner(settings(home), program).run(rows[0], 0)
    assert len(program.commands) == 2


def test_a_stopped_training_goes_on(home, rows):
    program = Pretender()
    folder = home / 'runs' / 'one' / 'seed_0'
    (folder / 'train').mkdir(parents=True)
    (folder / 'train' / 'last_checkpoint').write_text('earlier.pth')
    TableRunner(settings(home), program).run(rows[0], 0)
    assert '--resume=auto' in program.commands[0]
    # trained, but not tested
    (folder / 'figures.json').unlink()
    TableRunner(settings(home), program).run(rows[0], 0)
    assert [task for task, _ in program.tasks()] == ['train', 'test', 'test']


def test_rows_share_weights(home, rows):
    program = Pretender()
    runner = TableRunner(settings(home), program)
    assert runner.run(rows[2], 0)['AP'] == pytest.approx(0.3)
    assert runner.run(rows[1], 0)['AP'] == pytest.approx(0.2)
    main, two = (home / 'runs' / name / 'seed_0' for name in ('main', 'two'))
    assert program.tasks() == [
        ('train', main / 'train'),
        ('test', two / 'test'),
        ('test', main / 'test'),
    ]


def test_other_settings_are_refused(home, rows):
    program = Pretender()
    TableRunner(settings(home), program).run(rows[0], 0)
    other = TableRunner(settings(home, frames_per_step=24), program)
    with pytest.raises(ValueError, match='seed_0 holds a run of other sett'):
        other.run(rows[0], 0)
    assert len(program.commands) == 2


def test_failure_tells_the_end_of_the_log(home, rows):
    program = Pretender()
    program.broken.add('one')
    runner = TableRunner(settings(home), program)
    with pytest.raises(RunFailed, match='train.log: first line / the reason'):
        runner.run(rows[0], 0)
    assert runner.figures(rows[0], 0) is None


def test_several_processes(home):
    command = settings(home, processes=4).command
    tools = f'{ROOT}/tools'
    assert command('train', 'c.py', '--work-dir', 'w') == [
        'bash',
        f'{tools}/dist_train.sh',
        'c.py',
        '4',
        '--work-dir',
        'w',
    ]
    assert command('test', 'c.py', 'a.pth', '--work-dir', 'w') == [
        'bash',
        f'{tools}/dist_test.sh',
        'c.py',
        'a.pth',
        '4',
        '--work-dir',
        'w',
    ]


@pytest.fixture
def tool():
    return tool_module('benchmarks/run_table.py')


def call(tool, monkeypatch, home, program, *extra):
    monkeypatch.setattr(tool, 'TableRunner', lambda settings: TableRunner(settings, program))
    argv = [
        'x',
        '--tables',
        f'{home}/tables.json',
        '--work-dir',
        f'{home}/runs',
        '--seeds',
        '0',
        '1',
        '--out',
        f'{home}/out.json',
    ]
    return tool.main(argv + list(extra))


def test_tool_keeps_finished_rows(tool, monkeypatch, home, capsys):
    program = Pretender()
    program.broken.add('one')
    assert call(tool, monkeypatch, home, program) == 1
    captured = capsys.readouterr()
    assert '| 1 | - | - | 0 (2 failed) | one |' in captured.out
    assert '| 3 | 20.0 ± 0.0 | 4.0 ± 0.0 | 2 | main |' in captured.out
    assert 'failed: exit code 1' in captured.err
    out = json.loads((home / 'out.json').read_text())
    assert [row['failed'] for row in out['rows']] == [[0, 1], [], []]
    assert out['rows'][2]['metrics']['AP']['values'] == [pytest.approx(0.3)] * 2
    # mended: the failed row is run, the others are not
    before = len(program.commands)
    program.broken.clear()
    call(tool, monkeypatch, home, program)
    assert len(program.commands) == before + 4
    assert '| 1 | 10.0 ± 0.0 |' in capsys.readouterr().out


def test_tool_shows_without_running(tool, monkeypatch, home, capsys):
    program = Pretender()
    call(tool, monkeypatch, home, program, '--show', '--rows', 'main')
    assert capsys.readouterr().out.splitlines()[2:] == ['| 3 | - | - | 0 | main |']
    assert program.commands == []
