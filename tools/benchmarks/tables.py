"""Tables of the paper and the configs of their rows."""

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
        cells (tuple[str]): Cells before the figures.
        config (Path): Config file of the model.
        weights (Path): Config file of the model whose weights are tested. It differs from
            ``config`` if the row differs only at test time.
        home (Path): Folder of the variants, whose changes can be applied to another base. A config
            in another folder is the base itself.
        paper (tuple[float]): Figures of the paper in the order of the metrics of the table; empty
            if the paper has no such row.
    """

    cells: tuple[str, ...]
    config: Path
    weights: Path
    home: Path
    paper: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """str: Name of the config without its ending."""
        return self.config.stem


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        title (str): Title of the table.
        columns (tuple[str]): Heads of the cells of a row.
        metrics (tuple[str]): Heads of the figures.
        rows (tuple[Row]): Rows from top to bottom.
    """

    title: str
    columns: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


def load_table(path: str | Path, name: str) -> Table:
    """Read one table of a file.

    Args:
        path (str | Path): JSON file with tables by name. A table has ``title``, ``columns``,
            ``metrics`` and ``rows``; a row has ``cells``, ``config`` and, if needed, ``weights``
            and ``paper``. Configs are relative to the file; those in its own folder are variants.
        name (str): Name of the table.

    Raises:
        ValueError: If the file has no such table, or a row does not fit its table.
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
                f'{path}: table "{name}", row {number}: "cells" needs {len(data["columns"])} '
                f'entries, "paper" {len(data["metrics"])} or none'
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
    """Return the rows whose configs have the given names, or all rows.

    Raises:
        ValueError: If no row has one of the names.
    """
    if not names:
        return list(table.rows)
    known = [row.name for row in table.rows]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f'the table has no row {", ".join(unknown)}, choose of {", ".join(known)}')
    return [row for row in table.rows if row.name in names]


def own_variables(path: str | Path) -> dict[str, Any]:
    """Return the variables that a config file itself sets, without those of its base.

    Args:
        path (str | Path): Python config of plain values.

    Raises:
        ValueError: If the file uses variables of its base.
    """
    try:
        variables = runpy.run_path(str(path))
    except (AttributeError, NameError, TypeError) as error:
        raise ValueError(
            f'{path} cannot be put on another base, because it uses variables of its own base: '
            f'{error}'
        ) from error
    return {
        key: value
        for key, value in variables.items()
        if not key.startswith('_') and not callable(value) and not isinstance(value, ModuleType)
    }


def config_of(path: Path, home: Path, base: str | Path | None = None) -> Config:
    """Return the config of a row.

    Args:
        path (Path): Config file.
        home (Path): Folder of the variants, which change another config.
        base (str | Path, optional): Config to change. Default: the base that the file names.
    """
    if base is None:
        return Config.fromfile(path)
    cfg = Config.fromfile(base)
    if path.parent == home:
        cfg.merge_from_dict(own_variables(path))
    return cfg


def set_frames_per_step(cfg: Config, frames: int, processes: int = 1) -> None:
    """Set the batch size so that a training step has a given number of frames.

    Args:
        cfg (Config): Config, which is changed in place.
        frames (int): Number of frames of a step, in all processes together.
        processes (int): Number of processes, each of which has a batch.

    Raises:
        ValueError: If the number is no multiple of the frames of a clip in every process.
    """
    length = cfg.model.bbox_head.num_frames
    if frames % (length * processes):
        raise ValueError(
            f'{frames} frames a step are no whole number of clips of {length} frames on '
            f'{processes} processes; choose a multiple of {length * processes}'
        )
    cfg.train_dataloader.batch_size = frames // (length * processes)
