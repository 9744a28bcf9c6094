"""The configs of the paper's ablations say what its tables say."""

import json
import re
from pathlib import Path

import pytest
from mmdet.utils import register_all_modules
from mmengine.config import Config
from run_table import paper_table
from tables import config_of, load_table

from mmcico.registry import MODELS

ROOT = Path(__file__).parents[1]
HOME = ROOT / 'configs' / 'ablations'
TABLES = json.loads((HOME / 'tables.json').read_text(encoding='utf-8'))
NAMES = sorted(path.stem for path in HOME.glob('*.py'))
SMALL = ROOT / 'configs' / 'demo' / 'cico-yolact_ablation_moving-shapes.py'
DIM = {'2D': '2d', '3D': '3d'}
YES = {'×': False, '✓': True}

register_all_modules(init_default_scope=True)


def rows(name):
    """Cells and model of every row."""
    table = load_table(HOME / 'tables.json', name)
    return [(row.cells, Config.fromfile(row.config)) for row in table.rows]


def test_every_config_is_in_a_table_and_every_row_has_one():
    used = {Path(row['config']) for table in TABLES.values() for row in table['rows']}
    assert {p.stem for p in used if p.parent == Path()} == set(NAMES)
    assert all((HOME / path).is_file() for path in used)


@pytest.mark.parametrize('name', NAMES)
def test_a_config_changes_a_main_one(name):
    text = (HOME / f'{name}.py').read_text(encoding='utf-8')
    (base,) = re.findall(r"^_base_ = '\.\./cico/(.+)'$", text, re.M)
    assert (ROOT / 'configs' / 'cico' / base).is_file()
    assert '{{' not in text
    own = Config.fromfile(HOME / f'{name}.py').to_dict()
    again = config_of(HOME / f'{name}.py', HOME, ROOT / 'configs' / 'cico' / base)
    assert again.to_dict() == own
    assert own != Config.fromfile(ROOT / 'configs/cico' / base).to_dict()


def test_table_1a():
    seen = []
    for (length, with_loss), cfg in rows('1a'):
        head, mask_head = cfg.model.bbox_head, cfg.model.mask_head
        seen.append((head.num_frames, mask_head.loss_mask.decay))
        assert str(head.num_frames) == length
        assert mask_head.loss_mask.decay == float(YES[with_loss])
        assert {head.towers[k] for k in ('cls', 'box', 'track')} == {'2d'}
        assert mask_head.conv == '2d' and head.assigner.reach == 0
        overlap = cfg.test_dataloader.dataset.overlap
        assert overlap == (0 if length == '1' else 1)
    assert seen == [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)]


def test_table_1b():
    for (length, box, track, cls), cfg in rows('1b'):
        towers = cfg.model.bbox_head.towers
        assert (towers.box, towers.track, towers.cls) == (DIM[box], DIM[track], DIM[cls])
        assert str(cfg.model.bbox_head.num_frames) == length
        assert cfg.model.mask_head.conv == '2d'
        assert cfg.model.bbox_head.assigner.reach == 0


@pytest.mark.parametrize('name', ['1c', '1d'])
def test_tables_1c_and_1d(name):
    for (length, choice), cfg in rows(name):
        head = cfg.model.bbox_head
        assert str(head.num_frames) == length
        assert (head.towers.box, head.towers.track, head.towers.cls) == ('3d', '3d', '2d')
        kind = '2d' if name == '1c' else DIM[choice]
        assert cfg.model.mask_head.conv == kind
        assert head.assigner.reach == (YES[choice] if name == '1c' else 0)


def test_table_2_is_trained_once_for_each_data_set():
    table = load_table(HOME / 'tables.json', '2')
    assert len({row.weights for row in table.rows}) == 2
    for row in table.rows:
        cfg, main = Config.fromfile(row.config), Config.fromfile(row.weights)
        assert str(cfg.test_dataloader.dataset.overlap) == row.cells[1]
        assert cfg.train_dataloader == main.train_dataloader
        assert cfg.model == main.model
        version = cfg.test_dataloader.dataset.dataset_version
        assert version == {'OVIS': 'ovis'}.get(row.cells[0], '2021')


def test_figure_5():
    seen = []
    for (data, length), cfg in rows('fig5'):
        assert str(cfg.model.bbox_head.num_frames) == length
        assert cfg.test_dataloader.dataset.overlap == 1
        version = cfg.test_dataloader.dataset.dataset_version
        assert data.lower().endswith(version)
        seen.append((version, int(length)))
    assert seen == [
        (version, length) for version in ('2019', '2021', 'ovis') for length in (2, 3, 4, 5, 6)
    ]


@pytest.mark.parametrize('name', ['table1a_clip1', 'table1b_all3d'])
def test_models_build(name):
    cfg = Config.fromfile(HOME / f'{name}.py')
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    assert model.num_frames == cfg.model.bbox_head.num_frames
    assert model.bbox_head.cls_tower.conv == name[-2:].replace('p1', '2d')


@pytest.mark.parametrize('name', [n for n in NAMES if n.startswith('table1')])
def test_changes_fit_the_small_model(name):
    cfg = config_of(HOME / f'{name}.py', HOME, SMALL)
    model = MODELS.build(cfg.model)
    assert model.num_frames == cfg.train_dataloader.dataset.num_frames
    assert model.num_frames == cfg.test_dataloader.dataset.num_frames
    assert cfg.test_dataloader == cfg.val_dataloader
    assert model.bbox_head.num_classes == 4


@pytest.mark.parametrize('name', TABLES)
def test_read_me_has_the_paper_s_figures(name):
    read_me = (HOME / 'README.md').read_text(encoding='utf-8')
    assert paper_table(load_table(HOME / 'tables.json', name)) in read_me
