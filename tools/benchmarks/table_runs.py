"""Trains and tests the models of a table, one after the other."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from tables import Row, config_of, set_frames_per_step

from mmcico.formats.read import load_json
from mmcico.utils.files import write_whole

#: lines of a log that a message shows
LAST_LINES = 3

#: runs a command with its output in a log file, gives its exit code
Execute = Callable[[Sequence[str], Path], int]


class RunFailed(Exception):
    """A training or a test did not end well; others can go on."""


def execute(command: Sequence[str], log: Path) -> int:
    """Run a command in a process of its own.

    Args:
        command (Sequence[str]): Program and arguments.
        log (Path): Gets all output.

    Returns:
        int: Exit code.
    """
    env = dict(os.environ, PYTHON=sys.executable)
    with open(log, 'w', encoding='utf-8') as file:
        return subprocess.run(
            list(command), stdout=file, stderr=subprocess.STDOUT, env=env
        ).returncode


@dataclass(frozen=True)
class Settings:
    """What all runs of a table have in common.

    Attributes:
        work_dir: Folder of all runs.
        tools: Folder of ``train.py`` and ``test.py``.
        base: Config that the rows change; each row's own one without.
        frames_per_step: Frames of a training step; as configured without.
        options: Further settings of all configs, as of ``--cfg-options``.
        processes: Started by ``dist_train.sh``; 0 for one plain process.
    """

    work_dir: Path
    tools: Path
    base: str | None = None
    frames_per_step: int | None = None
    options: dict[str, Any] | None = None
    processes: int = 0

    def config(self, row: Row, path: Path, seed: int) -> Config:
        """The config of a run.

        Args:
            row (Row): Of the table.
            path (Path): The row's ``config`` or ``weights``.
            seed (int): Of the run.

        Returns:
            Config: It trains without validation; the test comes after.
        """
        cfg = config_of(path, row.home, self.base)
        cfg.merge_from_dict(self.options or {})
        cfg.merge_from_dict(dict(randomness=dict(seed=seed)))
        if self.frames_per_step:
            set_frames_per_step(cfg, self.frames_per_step, max(self.processes, 1))
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        return cfg

    def command(self, task: str, *args: str) -> list[str]:
        """The command line of a task, ``'train'`` or ``'test'``."""
        if not self.processes:
            return [sys.executable, str(self.tools / f'{task}.py'), *args]
        needed = 1 if task == 'train' else 2
        return [
            'bash',
            str(self.tools / f'dist_{task}.sh'),
            *args[:needed],
            str(self.processes),
            *args[needed:],
        ]


class TableRunner:
    """Runs rows and finds the figures of those that have been run.

    A run has the folder ``<work_dir>/<config>/seed_<n>`` with the config and
    the log of the training and of the test, and their work folders. A
    training that is complete leaves a file ``trained`` there, a test
    ``figures.json``; what is complete is not run again, and a training that
    was stopped goes on from its last checkpoint.

    Args:
        settings (Settings): Common to all runs.
        execute (Callable): Runs a command.
    """

    def __init__(self, settings: Settings, execute: Execute = execute) -> None:
        self.settings = settings
        self.execute = execute

    def folder(self, path: Path, seed: int) -> Path:
        """Folder of a run."""
        return self.settings.work_dir / path.stem / f'seed_{seed}'

    def figures(self, row: Row, seed: int) -> dict[str, float] | None:
        """Figures of a finished run, None if it is not finished."""
        path = self.folder(row.config, seed) / 'figures.json'
        return load_json(path) if path.is_file() else None

    def run(self, row: Row, seed: int) -> dict[str, float]:
        """Train and test one row, as far as it was not done.

        Args:
            row (Row): Of the table.
            seed (int): Of the run.

        Returns:
            dict: Figures, shares in 0..1 and ``FPS``.

        Raises:
            RunFailed: If the training or the test fails.
            ValueError: If the folder holds a run of other settings.
        """
        self.prepare(row, seed)
        done = self.figures(row, seed)
        if done is not None:
            return done
        checkpoint = self._train(self.folder(row.weights, seed))
        folder = self.folder(row.config, seed)
        self._execute(folder, 'test', checkpoint)
        figures = read_figures(folder / 'test')
        seconds = figures.pop('time', None)
        if seconds:
            cfg = Config.fromfile(folder / 'test.py')
            figures['FPS'] = frames_per_second(cfg, seconds, self.settings.processes)
        write_json(folder / 'figures.json', figures)
        return figures

    def prepare(self, row: Row, seed: int) -> None:
        """Write the configs of a run, or compare them with those there.

        Raises:
            ValueError: If the folder holds a run of other settings.
        """
        for path, task in ((row.weights, 'train'), (row.config, 'test')):
            folder = self.folder(path, seed)
            text = self.settings.config(row, path, seed).pretty_text
            # not in the work folder: MMEngine writes its own copy there
            file = folder / f'{task}.py'
            if not file.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding='utf-8')
            elif file.read_text(encoding='utf-8') != text:
                raise ValueError(
                    f'{folder} holds a run of other settings '
                    f'(see {task}.py there); give another '
                    '--work-dir, or remove the folder'
                )

    def _train(self, folder: Path) -> str:
        """Train or go on with it; the path of the last checkpoint."""
        last = folder / 'train' / 'last_checkpoint'
        if not (folder / 'trained').is_file():
            resume = ['--resume=auto'] if last.is_file() else []
            self._execute(folder, 'train', *resume)
            if not last.is_file():
                raise RunFailed(
                    f'{folder} has no checkpoint after training; set default_hooks.checkpoint'
                )
            (folder / 'trained').touch()
        return last.read_text(encoding='utf-8').strip()

    def _execute(self, folder: Path, task: str, *args: str) -> None:
        """Run a task in its part of the folder of a run.

        Raises:
            RunFailed: If it does not end well.
        """
        log = folder / f'{task}.log'
        code = self.execute(
            self.settings.command(
                task, str(folder / f'{task}.py'), *args, '--work-dir', str(folder / task)
            ),
            log,
        )
        if code:
            lines = log.read_text(encoding='utf-8', errors='replace').strip().splitlines()
            raise RunFailed(f'exit code {code}, see {log}: {" / ".join(lines[-LAST_LINES:])}')


def read_figures(folder: Path) -> dict[str, float]:
    """What a test wrote: ``metrics.json`` and the time of a clip.

    Args:
        folder (Path): Work folder of the test.

    Returns:
        dict: Figures by name and ``time`` in seconds; no figures if the
        data set has no public annotations.
    """
    found: dict[str, float] = {}
    if (folder / 'metrics.json').is_file():
        metrics = load_json(folder / 'metrics.json')
        found.update({k: v for k, v in metrics.items() if isinstance(v, float)})
    logs = list(folder.glob('*/*.json'))
    if logs:
        newest = load_json(max(logs, key=lambda path: path.stat().st_mtime))
        if 'time' in newest:
            found['time'] = newest['time']
    return found


def frames_per_second(cfg: Config, seconds: float, processes: int) -> float:
    """Speed of a test, loading included.

    Args:
        cfg (Config): Of the test; a clip brings T - To new frames.
        seconds (float): For one clip.
        processes (int): That tested at the same time; 0 counts as 1.

    Returns:
        float: Frames a second.
    """
    data = cfg.test_dataloader.dataset
    new = data.num_frames - data.get('overlap', 1)
    clips = cfg.test_dataloader.get('batch_size', 1) * max(processes, 1)
    return new * clips / seconds


def write_json(path: Path, content: Any) -> None:
    """Write a file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + '\n')
