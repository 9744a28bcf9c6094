"""Arguments, configs and devices of the tools that run a model."""

import argparse
import atexit
import difflib
import inspect
import os
import os.path as osp
import subprocess
from collections.abc import Mapping
from typing import Any

import mmcico.compat  # noqa: F401

from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import Runner

from mmcico.registry import MODELS

from .package_files import find_config
from .processes import end_children_with_this, end_with_parent, watch_hosts

#: keys at the top of a config that MMEngine reads: the arguments of a runner, and others
READ = {
    *inspect.signature(Runner.__init__).parameters,
    *('auto_scale_lr', 'custom_imports', 'efficient_conv_bn_eval', 'runner_type', 'tta_model'),
    'vis_backends',
}
#: parts whose settings are easily written one level too high
HOMES = ('train_cfg', 'optim_wrapper', 'train_dataloader', 'val_dataloader', 'test_dataloader')
#: endings of the files that MMEngine reads as configs
CONFIG_ENDINGS = ('.py', '.yml', '.yaml', '.json')

#: how FSDP on CPUs puts a state dict together
WHOLE = dict(rank0_only=True, offload_to_cpu=False)


def _key_value(text: str) -> str:
    """Return an argument of ``--cfg-options`` if it has a key and a value."""
    if '=' not in text:
        raise argparse.ArgumentTypeError(f'"{text}" is not of the form key=value')
    return text


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument that overrides settings of a config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=_key_value,
        action=DictAction,
        help='override settings of the config: key=value ..., lists as '
        'key="[a,b]" or key=a,b, without white space',
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every tool that runs a model, named as in MMDetection."""
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and results')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='launcher that started the processes of a distributed job',
    )
    # torch.distributed.launch passes it, torchrun sets the environment
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def read_config(name: str, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config by path or name, see :func:`find_config`, and override settings by dotted keys.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it is another kind of file by its name.
    """
    file = find_config(name)
    if not file.endswith(CONFIG_ENDINGS):
        raise ValueError(
            f'{name} is not a config, whose name would end in {", ".join(CONFIG_ENDINGS)}; give '
            'the config of the model (--from takes a checkpoint, .pth, too)'
        )
    cfg = Config.fromfile(file)
    cfg.merge_from_dict(options or {})
    return cfg


def unread_key(cfg: Config, key: str) -> str | None:
    """Return what a key at the top of a config should probably have been, None if it is fine.

    Configs may have variables of any name, so that only names close to one that MMEngine reads, and
    names of settings that belong into another part, count.
    """
    if key in READ:
        return None
    near = difflib.get_close_matches(key, READ, 1, 0.85)
    homes = [part for part in HOMES if key in (cfg.get(part) or {})]
    if homes and cfg.get(key) != cfg[homes[0]][key]:
        return f'{homes[0]}.{key}'
    return near[0] if near else None


def check_keys(cfg: Config, options: Mapping[str, Any]) -> None:
    """Refuse keys of a config, as it was read, or of ``--cfg-options`` that nothing reads.

    Raises:
        ValueError: If there is such a key; names the one that was probably meant.
    """
    for key in cfg:
        meant = unread_key(cfg, key)
        if meant:
            raise ValueError(
                f'{cfg.filename}: nothing reads the key "{key}"; did you mean "{meant}"?'
            )
    for key in (name.partition('.')[0] for name in options):
        if key not in cfg and key not in READ:
            meant = unread_key(Config({**cfg, key: object}), key)
            near = difflib.get_close_matches(key, cfg, 1, 0.8)
            if meant or near:
                raise ValueError(
                    f'--cfg-options: nothing reads the key "{key}"; did you mean '
                    f'"{meant or near[0]}"?'
                )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config of a tool and apply the common arguments.

    It gets ``launcher`` and ``work_dir``; the latter comes from the command line, else from the
    config, else from the name of the config file.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config)
    options = args.cfg_options or {}
    check_keys(cfg, options)
    cfg.merge_from_dict(options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    return cfg


def build_model(cfg: Config) -> Any:
    """Build the model of a config, in training mode and with random values."""
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    return MODELS.build(cfg.model)


def build_runner(cfg: Config) -> Any:
    """Prepare the processes of a job, see :func:`prepare_devices`, and build its runner."""
    prepare_devices(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def rank_variables(launcher: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT for ``torch.distributed``.

    ``launcher``, pytorch, slurm or mpi, started the process that has the environment ``env``.

    Raises:
        ValueError: If the process was not started by this launcher.
    """
    names = dict(
        pytorch=('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
        slurm=('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
    )[launcher]
    missing = [name for name in names if name not in env]
    if missing:
        raise ValueError(
            f'--launcher {launcher} needs {", ".join(missing)} in the environment; start the job '
            'by tools/dist_*.sh, tools/slurm_*.sh or mpirun, or use --launcher none'
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
    """Prepare the processes of a job in its config, in particular for a machine without a GPU.

    Loader workers end with this process, and this process with torchrun, whatever kills them.

    MMEngine connects them with the backend of the config, usually ``nccl``, and puts the model on a
    GPU. Without a GPU, gloo connects them and the wrapper of the model gets no device. With GPUs,
    the config is left unchanged.
    """
    end_children_with_this()
    if (cfg.get('randomness') or {}).get('deterministic'):
        # without it, some versions of PyTorch refuse every matrix product on a GPU
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    if cfg.launcher == 'pytorch' and 'TORCHELASTIC_RUN_ID' in os.environ:
        end_with_parent(os.getppid())  # torchrun
        watch = watch_hosts(os.environ)
        if watch is not None:
            atexit.register(watch.stop)
    set_sharding(cfg)
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


def set_sharding(cfg: Config) -> None:
    """Let MMEngine's ``FSDPStrategy`` save checkpoints as other trainings do, and run on CPUs.

    MMEngine's defaults save a folder with a part for each process, which no test can load; on a CPU
    they ask for a GPU, or end Python by reading memory that is no longer there.

    Raises:
        ValueError: If a setting of the config cannot work, or would train something else.
    """
    strategy = cfg.get('strategy')
    if strategy is None:
        return
    if cfg.get('runner_type') is None:
        raise ValueError(
            f'{cfg.filename}: strategy is read by FlexibleRunner alone; set '
            "runner_type='FlexibleRunner', or leave strategy out"
        )
    if str(strategy.get('type')).rpartition('.')[2] != 'FSDPStrategy':
        return
    if cfg.launcher == 'none':
        raise ValueError(
            f'{cfg.filename}: FSDPStrategy shares a model among processes; start them by '
            'tools/dist_train.sh or tools/slurm_train.sh, or leave strategy out'
        )
    if (cfg.get('optim_wrapper') or {}).get('clip_grad') is not None:
        raise ValueError(
            f'{cfg.filename}: optim_wrapper.clip_grad is set, and with FSDPStrategy each process '
            'would clip by the norm of its own part of the gradients; set '
            'optim_wrapper.clip_grad=None, or leave strategy out'
        )
    if (strategy.get('model_wrapper') or {}).get('auto_wrap_policy') is not None:
        raise ValueError(
            f'{cfg.filename}: strategy.model_wrapper.auto_wrap_policy makes every part of a model '
            'wait for the other processes, which may have no clip to test or not use that part; '
            'leave it out'
        )
    if strategy.get('state_dict_cfg', 'full') == 'local':
        raise ValueError(
            f"{cfg.filename}: strategy.state_dict_cfg='local' saves parts that cannot be tested or "
            "resumed safely; use 'full'"
        )
    strategy.setdefault('state_dict_cfg', 'full')
    strategy.setdefault('model_wrapper', dict(type='MMFullyShardedDataParallel'))
    strategy.model_wrapper.setdefault('use_orig_params', True)
    if get_device() == 'cpu':
        strategy.model_wrapper.setdefault('device_id', 'cpu')
        if strategy['state_dict_cfg'] == 'full':  # moving a CPU's parameters to the CPU frees them
            strategy['state_dict_cfg'] = dict(
                state_dict_type='FULL_STATE_DICT',
                state_dict_config=dict(type='FullStateDictConfig', **WHOLE),
                optim_state_dict_config=dict(type='FullOptimStateDictConfig', **WHOLE),
            )


def our_metrics(evaluators: dict | list[dict] | None) -> list[dict]:
    """Return the configs of :class:`VISMetric` in that of an evaluator."""
    every = evaluators if isinstance(evaluators, list) else [evaluators or {}]
    return [each for each in every if each.get('type', '').rpartition('.')[2] == 'VISMetric']


def set_output_folder(evaluators: dict | list[dict] | None, folder: str) -> None:
    """Let metrics of an evaluator's config without an ``outdir`` write their files to a folder."""
    for each in our_metrics(evaluators):
        if each.get('outdir') is None:
            each['outdir'] = folder
