"""Training and test of the models of a table, one after another."""

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
from mmcico.utils.processes import run_bound

#: number of lines of a log that a message shows
LAST_LINES = 3

#: function that runs a command with its output in a log file and returns its exit code
Execute = Callable[[Sequence[str], Path], int]


class RunFailed(Exception):
    """Failure of a training or a test, after which the other runs can continue."""


def execute(command: Sequence[str], log: Path) -> int:
    """Run a command in a process of its own, which ends with this one.

    Args:
        command (Sequence[str]): Program and arguments.
        log (Path): File for the output.

    Returns:
        int: Exit code.
    """
    env = dict(os.environ, PYTHON=sys.executable)
    with open(log, 'w', encoding='utf-8') as file:
        return run_bound(command, stdout=file, stderr=subprocess.STDOUT, env=env)


@dataclass(frozen=True)
class Settings:
    """Settings of all runs of a table.

    Attributes:
        work_dir (Path): Folder of all runs.
        tools (Path): Folder of ``train.py`` and ``test.py``.
        base (str, optional): Config that the rows change. Default: that of each row.
        frames_per_step (int, optional): Number of frames of a training step. Default: that of the
            config.
        options (dict, optional): Further settings of all configs, as in ``--cfg-options``.
        processes (int): Number of processes that ``dist_train.sh`` starts; 0 for one process
            without it.
    """

    work_dir: Path
    tools: Path
    base: str | None = None
    frames_per_step: int | None = None
    options: dict[str, Any] | None = None
    processes: int = 0

    def config(self, row: Row, path: Path, seed: int) -> Config:
        """Return the config of a run, without validation.

        Args:
            row (Row): Row of the table.
            path (Path): ``config`` or ``weights`` of the row.
            seed (int): Seed of the run.
        """
        cfg = config_of(path, row.home, self.base)
        cfg.merge_from_dict(self.options or {})
        cfg.merge_from_dict(dict(randomness=dict(seed=seed)))
        if self.frames_per_step:
            set_frames_per_step(cfg, self.frames_per_step, max(self.processes, 1))
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        return cfg

    def command(self, task: str, *args: str) -> list[str]:
        """Return the command line of a task, ``'train'`` or ``'test'``."""
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
    """Runs the rows of a table and reads the figures of finished runs.

    A run has the folder ``<work_dir>/<config>/seed_<n>`` with the configs, logs and work folders of
    its training and its test. A complete training leaves a file ``trained`` there, a complete test
    ``figures.json``. Complete parts are not run again, and a training that was stopped resumes
    from its last checkpoint.

    Args:
        settings (Settings): Settings of all runs.
        execute (Callable): Function that runs a command.
    """

    def __init__(self, settings: Settings, execute: Execute = execute) -> None:
        self.settings = settings
        self.execute = execute

    def folder(self, path: Path, seed: int) -> Path:
        """Return the folder of a run."""
        return self.settings.work_dir / path.stem / f'seed_{seed}'

    def figures(self, row: Row, seed: int) -> dict[str, float] | None:
        """Return the figures of a run, None if it is not finished."""
        path = self.folder(row.config, seed) / 'figures.json'
        return load_json(path) if path.is_file() else None

    def run(self, row: Row, seed: int) -> dict[str, float]:
        """Train and test one row, except for parts that are complete.

        Args:
            row (Row): Row of the table.
            seed (int): Seed of the run.

        Returns:
            dict: Figures, which are shares in 0..1, and ``FPS``.

        Raises:
            RunFailed: If the training or the test fails.
            ValueError: If the folder holds a run with other settings.
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
        """Write the configs of a run, or compare them with those in its folder.

        Raises:
            ValueError: If the folder holds a run with other settings.
        """
        for path, task in ((row.weights, 'train'), (row.config, 'test')):
            folder = self.folder(path, seed)
            text = self.settings.config(row, path, seed).pretty_text
            # MMEngine writes its own copy into the work folder, so this one lies outside of it
            file = folder / f'{task}.py'
            if not file.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding='utf-8')
            elif file.read_text(encoding='utf-8') != text:
                raise ValueError(
                    f'{folder} holds a run of other settings (see {task}.py there); give another '
                    '--work-dir, or remove the folder'
                )

    def _train(self, folder: Path) -> str:
        """Start or resume a training; return the path of the last checkpoint."""
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
        """Run a task with its config and its work folder in the folder of a run.

        Raises:
            RunFailed: If its exit code is not 0.
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
    """Read the figures of a test and the time of a clip.

    Args:
        folder (Path): Work folder of the test.

    Returns:
        dict: Figures by name, which are missing if the data set has no public annotations, and
        ``time`` in seconds.
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
    """Return the frames per second of a test, including the time of loading.

    Args:
        cfg (Config): Config of the test, in which a clip has T - To new frames.
        seconds (float): Time of one clip.
        processes (int): Number of processes that tested at the same time; 0 counts as 1.
    """
    data = cfg.test_dataloader.dataset
    new = data.num_frames - data.get('overlap', 1)
    clips = cfg.test_dataloader.get('batch_size', 1) * max(processes, 1)
    return new * clips / seconds


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file as a whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + '\n')
