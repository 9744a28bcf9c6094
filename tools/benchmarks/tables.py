"""Tables of configs: what a table holds, and each row's config."""

import runpy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import Config

from mmcico.formats.read import load_json


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        cells: What the row says before its figures.
        config: Config file of the model.
        weights: Config file of the model whose weights are tested; another
            one than ``config`` where rows differ at test time only.
        home: Folder of the variants of main configs; what they change can
            be put on another base. Configs elsewhere are the base itself.
        paper: The paper's figures in the order of the table's metrics; none
            if the paper has no such row.
    """

    cells: tuple[str, ...]
    config: Path
    weights: Path
    home: Path
    paper: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """str: Config's name without its ending."""
        return self.config.stem


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        title: What it is about.
        columns: Heads of the cells of a row.
        metrics: Heads of the figures.
        rows: From top to bottom.
    """

    title: str
    columns: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


def load_table(path: str | Path, name: str) -> Table:
    """Read one table of a file.

    Args:
        path (str | Path): JSON: tables by name, each with ``title``,
            ``columns``, ``metrics`` and ``rows``; a row has ``cells``,
            ``config``, ``weights`` and ``paper``, the latter two if needed.
            Configs are relative to the file; those in its own folder are
            variants.
        name (str): Of the table.

    Returns:
        Table: The table.

    Raises:
        ValueError: If the file has no such table, or a row does not fit.
    """
    path = Path(path)
    tables = load_json(path)
    if name not in tables:
        raise ValueError(f'{path} has no table "{name}", choose one of {", ".join(tables)}')
    data = tables[name]
    rows = []
    for number, row in enumerate(data['rows'], 1):
        paper = row.get('paper', [])
        if len(row['cells']) != len(data['columns']) or len(paper) not in (0, len(data['metrics'])):
            raise ValueError(
                f'{path}: table "{name}", row {number}: "cells" needs '
                f'{len(data["columns"])} entries, "paper" '
                f'{len(data["metrics"])} or none'
            )
        config = path.parent / row['config']
        rows.append(
            Row(
                cells=tuple(row['cells']),
                config=config,
                weights=path.parent / row.get('weights', row['config']),
                home=path.parent,
                paper=tuple(paper),
            )
        )
    return Table(data['title'], tuple(data['columns']), tuple(data['metrics']), tuple(rows))


def choose_rows(table: Table, names: Sequence[str] | None) -> list[Row]:
    """Rows by the names of their configs; all without names.

    Raises:
        ValueError: If there is no row of a name.
    """
    if not names:
        return list(table.rows)
    known = [row.name for row in table.rows]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f'the table has no row {", ".join(unknown)}, choose of {", ".join(known)}')
    return [row for row in table.rows if row.name in names]


def own_variables(path: str | Path) -> dict[str, Any]:
    """What a config file itself sets, without what it is based on.

    Args:
        path (str | Path): A Python config of plain values.

    Returns:
        dict: Its variables; ``_base_`` is left out.

    Raises:
        ValueError: If it uses variables of its base.
    """
    try:
        variables = runpy.run_path(str(path))
    except (AttributeError, NameError, TypeError) as error:
        raise ValueError(
            f'{path} cannot be put on another base, as it uses variables of its own one: {error}'
        ) from error
    return {
        key: value
        for key, value in variables.items()
        if not key.startswith('_') and not callable(value) and not isinstance(value, ModuleType)
    }


def config_of(path: Path, home: Path, base: str | Path | None = None) -> Config:
    """The config of a row.

    Args:
        path (Path): Config file.
        home (Path): Folder of configs that are changes of another one.
        base (str | Path, optional): Config that is changed instead of the
            one that the file names.

    Returns:
        Config: Ready to run.
    """
    if base is None:
        return Config.fromfile(path)
    cfg = Config.fromfile(base)
    if path.parent == home:
        cfg.merge_from_dict(own_variables(path))
    return cfg


def set_frames_per_step(cfg: Config, frames: int, processes: int = 1) -> None:
    """Choose the number of clips so that a step sees so many frames.

    Args:
        cfg (Config): Changed in place.
        frames (int): Frames of a step, all processes together.
        processes (int): Each has its own batch.

    Raises:
        ValueError: If clips do not add up to it.
    """
    length = cfg.model.bbox_head.num_frames
    if frames % (length * processes):
        raise ValueError(
            f'{frames} frames a step are no whole number of clips of '
            f'{length} frames on {processes} processes; choose a multiple of '
            f'{length * processes}'
        )
    cfg.train_dataloader.batch_size = frames // (length * processes)
