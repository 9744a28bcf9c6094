"""The documents: commands parse, code compiles or runs, files and links exist."""

import ast
import importlib
import json
import pkgutil
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.cli.main import COMMANDS, load_tool
from mmcico.formats.rle import encode_masks
from mmcico.formats.write import write_json
from mmcico.registry import MODELS
from mmcico.testing import clip_sample, write_small_model
from mmcico.visualization.picture_files import write_picture, write_video

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs' / 'en'
PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    *sorted(DOCS.rglob('*.md')),
    *sorted((ROOT / 'configs').rglob('README.md')),
]
BLOCK = re.compile(
    r'^(?P<mark> *<!-- run -->\n)?(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^ *```$',
    re.MULTILINE | re.DOTALL,
)
OPERATORS = {';', '&&', '|', '||', '&'}
#: paths below these folders must exist
PATHS = re.compile(r'\b((?:configs|tools|tests|docs|mmcico)/[\w./-]+\.(?:py|sh|md|json|ipynb))\b')
#: of the past, or of users
NO_FILES = {'docs/en/changelog.md'}


def name_of(page):
    return str(page.relative_to(ROOT))


def read(page):
    return page.read_text(encoding='utf-8')


def blocks(page, *kinds):
    """Text and mark of the blocks of some languages."""
    for found in BLOCK.finditer(read(page)):
        if found['kind'] in kinds:
            lines = found['text'].splitlines()
            cut = len(found['indent'])
            yield '\n'.join(line[cut:] for line in lines) + '\n', bool(found['mark'])


def commands(text):
    """Commands of a shell block as lists of words; variables are put in."""
    values = {}
    for line in text.replace('\\\n', ' ').splitlines():
        for name, value in values.items():
            line = re.sub(rf'\${name}\b', value, line)
        line = re.sub(r'\$\w+|\$\{[^}]*\}', '1', line)  # variables of loops
        lexer = shlex.shlex(line, posix=True, punctuation_chars=';&|')
        lexer.whitespace_split = True
        words = list(lexer)
        while words and (given := re.fullmatch(r'(\w+)=(.*)', words[0])):
            values[given[1]] = given[2]
            words = words[1:]
        part = []
        for word in [*words, ';']:
            if word in OPERATORS:
                if part:
                    yield part
                part = []
            else:
                part.append(word)


def tool_of(words):
    """Parser of the command line of mmcico that is meant, and its arguments; None for others."""
    while words and words[0] in ('do', 'then', 'else'):
        words = words[1:]
    if words[:1] == ['mmcico'] and words[1:2] != ['--help']:
        home = COMMANDS[words[1]].home
        rest = words[2:]
    elif words[:1] == ['python'] and words[1].startswith('tools/'):
        home, rest = words[1].removeprefix('tools/'), words[2:]
    else:
        return None
    if home.endswith('.py'):
        return load_tool(ROOT / 'tools' / home), rest
    return importlib.import_module(f'mmcico.cli.{home}'), rest


LINES = [
    pytest.param(words, id=f'{name_of(page)}: {" ".join(words)[:80]}')
    for page in PAGES
    for text, _ in blocks(page, 'bash', 'shell', 'console')
    for words in commands(text)
    if words[0] in ('mmcico', 'python', 'do')
]


@pytest.mark.parametrize('words', LINES)
def test_commands_are_understood(words, capsys):
    found = tool_of(words)
    if found is None:
        return
    tool, args = found
    try:
        tool.parse_args(args)
    except SystemExit:
        pytest.fail(capsys.readouterr().err)


def test_commands_are_found():
    assert len(LINES) > 80


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_pages_name_commands_where_there_are_any(page):
    text = read(page)
    homes = [command.home for command in COMMANDS.values() if command.home.endswith('.py')]
    assert [home for home in homes if f'python tools/{home}' in text] == []


@pytest.mark.parametrize('page', [p for p in PAGES if name_of(p) not in NO_FILES], ids=name_of)
def test_files_and_links_exist(page):
    text = read(page)
    missing = [path for path in PATHS.findall(text) if not (ROOT / path).exists()]
    links = re.findall(r'\]\(([^)\s#]+)(?:#[^)\s]*)?\)', text)
    links += re.findall(r'^\[\w+\]: (\S+)$', text, re.MULTILINE)
    links += re.findall(r'<img[^>]* src="([^"]+)"', text)
    for link in links:
        if '://' not in link and not (page.parent / link).exists():
            missing.append(link)
    assert missing == []


def parsed(text):
    """Syntax tree of a block; arguments of a call, as a config shows them, count, too."""
    text = re.sub(r',\s*\.\.\.(?=\s*[,)\]])', '', text)
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.parse(f'dict(\n{text}\n)')


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_python_compiles_and_imports_what_exists(page):
    for text, _ in blocks(page, 'python'):
        for node in ast.walk(parsed(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('mmcico'):
                home = importlib.import_module(node.module)
                for each in node.names:
                    if not hasattr(home, each.name):
                        importlib.import_module(f'{node.module}.{each.name}')


@pytest.mark.parametrize('page', [p for p in PAGES if name_of(p) not in NO_FILES], ids=name_of)
def test_names_in_text_exist(page):
    for name in re.findall(r'`(mmcico(?:\.[a-z]\w*)+\.\w+)', read(page)):
        pkgutil.resolve_name(name)


CONFIGS = [
    pytest.param(text, id=f'{name_of(page)}-{number}')
    for page in PAGES
    for number, (text, _) in enumerate(blocks(page, 'python'))
    if '_base_ =' in text and 'custom_imports' not in text
]


@pytest.mark.parametrize('text', CONFIGS)
def test_configs_can_be_read(text, tmp_path):
    def found(match):
        (path,) = (ROOT / 'configs').rglob(Path(match[1]).name)
        return f"'{path}'"

    file = tmp_path / 'config.py'
    file.write_text(re.sub(r"'((?:\.|configs/)[^'\s]*\.py)'", found, text))
    assert Config.fromfile(file).model


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that pages speak of, small ones."""
    config, weights = write_small_model(tmp_path)
    saved = torch.load(weights)
    saved['meta']['cfg'] = Path(config).read_text()
    torch.save(saved, tmp_path / 'MODEL.pth')
    frames = [torch.randint(0, 255, (48, 64, 3), dtype=torch.uint8).numpy() for _ in range(5)]
    for name in ('video.mp4', 'a.mp4'):
        write_video(tmp_path / name, frames, 5)
    for number, frame in enumerate(frames):
        write_picture(tmp_path / 'frames' / f'{number}.png', frame)
    rle = dict(size=[2, 3], counts=encode_masks(np.eye(2, 3, dtype=bool)[None])[0].decode())
    write_json(tmp_path / 'results.json', [dict(segmentations=[None, rle])])
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN = [page for page in PAGES if any(mark for _, mark in blocks(page, 'python'))]


@pytest.mark.parametrize('page', RUN, ids=name_of)
def test_marked_code_runs(page, workplace):
    space = {}
    for text, mark in blocks(page, 'python'):
        if mark:
            exec(compile(text, str(page), 'exec'), space)


def test_pages_with_code_that_runs():
    assert {'README.md', 'docs/en/inference.md'} <= {name_of(page) for page in RUN}


@pytest.mark.parametrize('score, rows', [(0.3, [[1, 7, 'cat', 0.3, 0, 0, 2, 2, 2]]), (0.2, [])])
def test_the_table_of_tracks_has_columns_without_tracks(workplace, score, rows):
    pytest.importorskip('pandas')
    (rle,) = [each['segmentations'] for each in json.loads(Path('results.json').read_text())]
    track = dict(id=7, score=score, segmentations=rle, bboxes=[None, [0, 0, 2, 2]])
    write_json(workplace / 'outputs' / 'tracks' / 'new.json', [{**track, 'class': 'cat'}])
    text = next(text for text, _ in blocks(DOCS / 'own_video.md', 'python') if 'DataFrame' in text)
    space = {}
    exec(compile(text, 'own_video.md', 'exec'), space)
    assert space['table'].iloc[:, :9].values.tolist() == rows


def test_the_package_of_the_page_on_extending_trains_and_predicts(tmp_path, monkeypatch):
    for text, _ in blocks(DOCS / 'extending.md', 'python'):
        name = re.match(r'# (\S+\.py)\n', text)[1]
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    init_default_scope('mmdet')
    cfg = Config.fromfile(tmp_path / 'my_config.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    names = [type(part).__name__ for part in model.modules()]
    assert {'BoxTracker', 'MutualBest', 'LinearMaskWithBias', 'FocalMaskLoss'} <= {*names}
    data = dict(
        inputs=[torch.randint(0, 255, (3, 3, 96, 160), dtype=torch.uint8)],
        data_samples=[clip_sample([[0, 1]] * 3)],
    )
    losses = model(**model.data_preprocessor(data, True), mode='loss')
    total = sum(each for name, each in losses.items() if 'loss' in name)
    total.backward()
    assert losses['loss_mask'] > 0
    assert all(each.grad.isfinite().all() for each in model.parameters() if each.grad is not None)
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    with torch.no_grad():
        (found,) = model.eval()(**model.data_preprocessor(data, False), mode='predict')
    assert len(found.video_data_samples) == 3
    assert 'instances_id' in found.video_data_samples[0].pred_track_instances
    check_own_layout(tmp_path)
    for name in [name for name in sys.modules if name.split('.')[0] == 'my_vis']:
        del sys.modules[name]


def check_own_layout(folder):
    """The page's converter writes what the reader takes."""
    from mmcico.formats.read import read_annotations

    masks = torch.zeros(2, 6, 8, dtype=torch.bool).numpy()
    masks[1, 2:4, 3:6] = True
    write = importlib.import_module('my_vis.to_youtube_vis').write_annotations
    write(folder / 'own.json', [(['v/0.png', 'v/1.png'], [(0, masks)])], ['cat'])
    (track,) = read_annotations(folder / 'own.json').videos[0].tracks
    assert (track.pixels, track.category_id, track.seen(0)) == ([0, 6], 1, False)
