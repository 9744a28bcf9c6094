"""What the command line tools share: arguments, config, devices, errors."""

import argparse
import gc
import os
import os.path as osp
import subprocess
import sys
from collections.abc import Callable, Mapping
from urllib.error import URLError

from mmengine.config import Config, DictAction
from mmengine.config.utils import ConfigParsingError
from mmengine.device import get_device

from .patient_output import patient_output

NO_NETWORK = (
    'a file could not be fetched, most likely the weights of a backbone: give '
    'a copy by --cfg-options model.backbone.init_cfg.checkpoint=FILE'
)
USER_ERRORS = (ValueError, OSError, SyntaxError, ConfigParsingError)


def _key_value(text: str) -> str:
    """An argument of ``--cfg-options``, with a readable complaint."""
    if '=' not in text:
        raise argparse.ArgumentTypeError(f'"{text}" is not of the form key=value')
    return text


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """The argument that overrides settings of a config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=_key_value,
        action=DictAction,
        help='override settings of the config: key=value ..., lists as '
        'key="[a,b]" or key=a,b, without white space',
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """The argument that :func:`run_tool` looks for."""
    parser.add_argument('--debug', action='store_true', help='show the whole traceback of an error')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every tool that runs a model, as in MMDetection."""
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and results')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed job',
    )
    add_debug(parser)
    # torch.distributed.launch passes it, torchrun sets the environment
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: argparse.Namespace) -> Config:
    """The config with what the command line overrides.

    Args:
        args (Namespace): ``config`` and the common arguments.

    Returns:
        Config: with ``launcher`` and ``work_dir``, the latter from the
        command line, the config or, at last, the config's file name.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not osp.isfile(args.config):
        raise FileNotFoundError(f'config "{args.config}" does not exist')
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir', None) is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('work_dirs', name)
    return cfg


def rank_variables(launcher: str, env: Mapping[str, str]) -> dict[str, str]:
    """What ``torch.distributed`` reads, from what the launcher sets.

    Args:
        launcher (str): pytorch, slurm or mpi.
        env (Mapping): the environment.

    Returns:
        dict: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.

    Raises:
        ValueError: if the process was not started by this launcher.
    """
    names = dict(
        pytorch=('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
        slurm=('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
    )[launcher]
    missing = [name for name in names if name not in env]
    if missing:
        raise ValueError(
            f'--launcher {launcher} needs {", ".join(missing)} in the '
            'environment; start the job by tools/dist_*.sh, '
            'tools/slurm_*.sh or mpirun, or use --launcher none'
        )
    found = dict(zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), (env[n] for n in names)))
    found['MASTER_PORT'] = env.get('MASTER_PORT', '29500')
    found['MASTER_ADDR'] = env.get('MASTER_ADDR', '127.0.0.1')
    if launcher == 'slurm' and 'MASTER_ADDR' not in env:
        found['MASTER_ADDR'] = subprocess.check_output(
            ['scontrol', 'show', 'hostname', env['SLURM_NODELIST']], text=True
        ).splitlines()[0]
    return found


def prepare_devices(cfg: Config) -> None:
    """Let the processes of a distributed job meet on a CPU, too.

    MMEngine joins them with the config's backend, usually ``nccl``, and puts
    the model on a GPU.  Without any, gloo joins them, and the model's wrapper
    is told of no device.  With GPUs, the config is left as it is.

    Args:
        cfg (Config): changed in place.
    """
    if cfg.launcher == 'none' or get_device() != 'cpu':
        return
    from torch import distributed

    os.environ.update(rank_variables(cfg.launcher, os.environ))
    distributed.init_process_group('gloo')
    cfg.pop('sync_bn', None)  # PyTorch has it for GPUs only
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.setdefault('model_wrapper_cfg', wrapper)
    cfg.model_wrapper_cfg['device_ids'] = None


def set_output_folder(evaluators: dict | list[dict], folder: str) -> None:
    """Metrics that write files do so in ``folder`` unless told where.

    Args:
        evaluators (dict | list[dict]): Configs of metrics, changed in place.
        folder (str): The work folder.
    """
    for each in evaluators if isinstance(evaluators, list) else [evaluators]:
        is_ours = each.get('type', '').rpartition('.')[2] == 'VISMetric'
        if is_ours and each.get('outdir') is None:
            each['outdir'] = folder


def is_user_error(error: BaseException) -> bool:
    """Whether the message alone tells a user what to change."""
    if isinstance(error, KeyError):  # unknown type in a config
        return 'registry' in str(error)
    return isinstance(error, USER_ERRORS)


def run_tool(main: Callable[[], None], debug: bool | None = None) -> None:
    """Run a tool; a user's error ends as one line and exit code 1.

    Args:
        main (Callable): the tool.
        debug (bool, optional): show tracebacks. Defaults to whether
            ``--debug`` is on the command line or MMCICO_DEBUG is set.
    """
    if debug is None:
        debug = '--debug' in sys.argv or bool(os.environ.get('MMCICO_DEBUG'))
    try:
        with patient_output():
            main()
        leave_group()
    except Exception as error:
        if debug or not is_user_error(error):
            raise
        text = error.args[0] if isinstance(error, KeyError) else error
        if isinstance(error, URLError):
            text = f'{text}; {NO_NETWORK}'
        line = ' '.join(str(text).split()) or type(error).__name__
        sys.stderr.write(f'error: {line} (--debug shows where)\n')
        sys.exit(1)


def leave_group() -> None:
    """Take leave of the other processes of a distributed job, if any.

    PyTorch ends the threads of a process group when the last reference to it
    is gone; a gloo thread that is still there when Python shuts down may
    abort the process (https://github.com/pytorch/pytorch/pull/179291).  The
    runner, a ring of references, holds the model's wrapper and so the group.

    Only after success: a rank that failed must not wait for the others.
    """
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
        gc.collect()
