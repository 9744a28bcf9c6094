"""The list of commands, exit codes, messages, fronts of the tools."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmcico.cli.main import COMMANDS, main
from mmcico.utils.package_files import find_config, package_configs, package_root
from mmcico.version import __version__

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'configs/demo/cico-yolact_demo_moving-shapes.py')
HEAVY = {'torch', 'mmengine', 'mmdet', 'mmcv', 'cv2', 'numpy', 'yaml', 'rich'}


def ended(*args):
    """Exit code, whether returned or raised."""
    try:
        return main(args)
    except SystemExit as end:
        return end.code or 0


def test_help_names_all_commands(capsys):
    assert main(['--help']) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    for name, command in COMMANDS.items():
        assert any(line.split() == [name, *command.summary.split()] for line in lines)
    assert 'exit codes: 0 done, 1 error, 2 wrong usage, 130' in said.out
    assert said.err == ''


def test_help_loads_nothing_that_is_slow():
    code = (
        'import sys; from mmcico.cli.main import main; main(["--help"]);'
        f'sys.exit(" ".join({HEAVY} & set(sys.modules)))'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == ''
    assert 'predict' in done.stdout


def test_module_and_version():
    done = subprocess.run(
        [sys.executable, '-m', 'mmcico', '--version'], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f'mmcico {__version__}\n')


@pytest.mark.parametrize(
    'args, text',
    [
        ([], 'usage: mmcico COMMAND'),
        (['predct'], '"predct" is no command; did you mean "predict"?'),
        (['xyz'], '"xyz" is no command\ncommands are demo'),
        (['predict'], 'required: SOURCE'),
        (['predict', 'a.mp4', '--weights', 'w', '--save', 'gif'], "'gif'"),
        (['train'], 'usage: mmcico train'),
        (['models', '--unknown'], 'unrecognized arguments: --unknown\n'),
        (['predict', 'a', '--scor-thr', '1'], '--scor-thr 1; did you mean --score-thr?\n'),
        (['predict', 'a', '--out=b', '--presision=fp32'], '32; did you mean --precision?\n'),
        (['demo', '--num-frames', '0'], '--num-frames: 0 is not a whole number from 1'),
        (['demo', '--seed', '-1'], '--seed: -1 is not a whole number from 0 up'),
        (['browse', '--config', 'c', '--out', 'b', '--num-clips', '-3'], 's: -3 is not a whole'),
        (['browse', '--config', 'c', '--out', 'b', '--seed', '-1'], 'seed: -1 is not a whole'),
        (['visualize', 'a', 'b', '--out', 'c', '--score-thr', '2'], '--score-thr 2.0: scores are'),
        (['visualize', 'a', 'b', '--out', 'c', '--score-thr', 'nan'], '--score-thr nan: scores'),
        (['visualize', 'a', 'b', '--out', 'c', '--width', '0'], '--width: 0 is not a whole'),
        (['visualize', 'a', 'b', '--out', 'c', '--gallery', '0'], '--gallery: 0 is not a whole'),
    ],
)
def test_wrong_usage_is_2(args, text, capsys):
    assert ended(*args) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    'args, text',
    [
        (['train', 'none.py'], 'config "none.py" does not exist'),
        (['test', CONFIG, 'none.pth'], 'checkpoint "none.pth" does not exist'),
        (['eval', 'none.json', 'none.json'], 'none.json'),
        (['convert', 'masks', 'none', 'none', '--out', 'a'], 'none is no folder'),
        (['browse', 'none.json', '--images', 'a', '--out', 'b'], 'none.json'),
        (['visualize', 'a', 'none.json', '--out', 'b'], 'none.json'),
        (['models', 'vistr'], 'no model has vistr in its name'),
        (['predict', 'none.mp4', '--weights', 'w'], '"none.mp4" does not exist'),
        (['predict', '.', '--weights', 'w', '--opacity', '2'], 'opacity is 2'),
    ],
)
def test_errors_of_users_are_1_and_short(args, text, capsys):
    assert ended(*args) == 1
    said = capsys.readouterr().err
    assert text in said and 'Traceback' not in said
    assert said.splitlines()[0].startswith('error: ')


def test_debug_shows_where():
    for args in (['models', 'vistr', '--debug'], ['train', 'none.py', '--debug']):
        with pytest.raises((ValueError, OSError)):
            main(args)


def test_debug_by_the_environment(monkeypatch):
    monkeypatch.setenv('MMCICO_DEBUG', '1')
    with pytest.raises(ValueError, match='vistr'):
        main(['models', 'vistr'])


def test_a_pipe_that_closes_is_no_error_of_ours():
    done = subprocess.run(
        f'"{sys.executable}" -m mmcico models --paths | head -1',
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith('configs/')
    assert done.stderr == ''


@pytest.mark.parametrize('name', COMMANDS)
def test_commands_are_there_and_teach(name, capsys):
    before = list(sys.argv)
    assert ended(name, '--help') == 0
    said = capsys.readouterr().out
    assert f'usage: mmcico {name} ' in said
    assert f'examples:\n  mmcico {name} {COMMANDS[name].examples[0]}\n' in said
    assert '--debug' in said
    assert sys.argv == before


def test_models_show_what_the_paper_says(capsys):
    assert main(['models', 'SWIN', 'ovis']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['name', "paper's", 'AP', 'weights']
    assert [line.split() for line in lines[1:3]] == [
        ['cico-yolact_swin-t_fpn_clip3_4xb6-12e_ovis', '18.0', '-'],
        ['cico-condinst_swin-t_fpn_clip3_4xb6-12e_ovis', '17.2', '-'],
    ]
    assert lines[3] == '' and 'not a result of' in lines[4]


def test_models_show_all_configs(capsys):
    assert main(['models', '--paths']) == 0
    paths = capsys.readouterr().out.splitlines()
    assert len(paths) == len(package_configs()) >= 70
    assert {path.split('/')[1] for path in paths} >= {'cico', 'demo', 'published', 'ablations'}
    assert all((package_root() / path).is_file() for path in paths)
    assert main(['models', '--paths', 'demo', 'condinst']) == 0
    assert capsys.readouterr().out.splitlines() == [
        f'configs/demo/cico-condinst_demo_{data}.py' for data in ('moving-shapes', 'real-video')
    ]


def test_configs_of_the_package_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'cico-condinst_r50_fpn_clip3_4xb6-12e_ovis'
    found = find_config(name)
    assert Path(found) == package_root() / 'configs/cico' / f'{name}.py'
    assert Path(find_config(f'configs/cico/{name}.py')) == Path(found)
    # a file comes first; MMEngine resolves names with ::
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs/mine.py').touch()
    for text in ('configs/mine.py', 'mmdet::a/b.py'):
        assert find_config(text) == text
    for text in ('configs/none.py', 'cico-none', 'configs'):
        with pytest.raises(FileNotFoundError, match=f'config "{text}" does not exist.*--paths'):
            find_config(text)
