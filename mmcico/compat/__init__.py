"""Changes in other packages that mmcico needs to run on stock and forked OpenMMLab packages.

Importing this package arranges the changes; each is made when the module that it is about is
imported. Every package of mmcico that imports MMDetection or MMCV therefore imports this one first.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os.path as osp
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from multiprocessing import current_process
from types import ModuleType, SimpleNamespace
from typing import Any

from .check import STACKS, check_packages

__all__ = ['check_packages', 'get_installed_path', 'install', 'is_installed']

Callback = Callable[[ModuleType], None]


class ImportHook(importlib.abc.MetaPathFinder):
    """Let the later finders work and call back whenever the module has been executed.

    A module may be searched without being imported, and imported again after a failure.
    """

    def __init__(self) -> None:
        self.callbacks: dict[str, Callback] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the ordinary spec with a loader that calls back."""
        if fullname in STACKS['openmmlab'] and _is_import():
            check_packages()
        callback = self.callbacks.get(fullname)
        if callback is None:
            return None
        later = sys.meta_path[sys.meta_path.index(self) + 1 :]
        finders = (each for each in later if hasattr(each, 'find_spec'))
        specs = (each.find_spec(fullname, path, target) for each in finders)
        spec = next(filter(None, specs), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == fullname:  # some loaders are shared
                callback(module)

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec


def _is_import() -> bool:
    """Return whether the caller searches a module in order to import it."""
    # the caller, importlib's search, and what asked for it
    return sys._getframe(3).f_code.co_name == '_find_and_load_unlocked'


def when_imported(name: str, callback: Callback) -> None:
    """Call ``callback(module)`` when the module of this full name is imported, and now if it is."""
    hooks = [each for each in sys.meta_path if isinstance(each, ImportHook)]
    if not hooks:
        hooks = [ImportHook()]
        sys.meta_path.insert(0, hooks[0])
    hooks[0].callbacks[name] = callback
    if name in sys.modules:
        callback(sys.modules[name])


def _module_folder(module: str) -> str | None:
    """Return the folder of an importable module without importing it."""
    spec = importlib.util.find_spec(module)
    return osp.dirname(spec.origin) if spec and spec.origin else None


def get_installed_path(package: str) -> str:
    """Return the folder of a module, or of a distribution whose first public module is another.

    MMEngine 0.10.7 asks ``pkg_resources``, which setuptools 82 dropped, and which does not know
    where an editable installation (PEP 660) has its files. Both break ``_base_ = 'mmdet::...'``,
    ``'mmcico::...'`` and MMEngine's hub.

    Raises:
        PackageNotFoundError: If there is neither.
    """
    folder = _module_folder(package)
    if folder is None:
        names = distribution(package).read_text('top_level.txt') or ''
        public = [each for each in names.split() if each[0] != '_']
        folder = _module_folder(public[0]) if public else None
    if folder is None:
        raise PackageNotFoundError(package)
    return folder


def is_installed(package: str) -> bool:
    """Return whether there is a module or a distribution of this name."""
    try:
        return bool(_module_folder(package) or distribution(package))
    except PackageNotFoundError:
        return False


def _replace_functions(module: ModuleType) -> None:
    for function in (is_installed, get_installed_path):
        if hasattr(module, function.__name__):
            setattr(module, function.__name__, function)


def _later(part: str, function: str) -> Callback:
    """Return a function of a part that imports PyTorch, to be imported when it is called."""
    return lambda module: getattr(importlib.import_module(f'{__name__}.{part}'), function)(module)


def _name_package(module: ModuleType) -> None:
    """Let ``mmcico::`` configs and MMEngine's hub find this package."""
    module.MODULE2PACKAGE.setdefault('mmcico', 'mmcico')


def _load_plain_yaml(module: ModuleType) -> None:
    """Refuse tags of Python objects in YAML files, which MMEngine would run."""
    vars(module).update(Loader=getattr(module.yaml, 'CSafeLoader', module.yaml.SafeLoader))


def _know_metrics(module: ModuleType) -> None:
    """Let the hooks for the best checkpoint and for early stopping compare our metrics."""
    for name in {'CheckpointHook', 'EarlyStoppingHook'} & vars(module).keys():
        hook = getattr(module, name)
        hook._default_greater_keys = [*hook._default_greater_keys, 'youtube_vis/']


def _resume_shards(module: ModuleType) -> None:
    """Let FSDP resume its optimiser; MMEngine gives PyTorch's arguments in the order of 2.0."""

    def load_optim_state_dict(self: Any, state_dict: dict) -> None:
        optimizer = self.optim_wrapper.optimizer
        content = module.FSDP.optim_state_dict_to_load(
            model=self.model, optim=optimizer, optim_state_dict=state_dict
        )
        self.optim_wrapper.load_state_dict(content)

    module.FSDPStrategy.load_optim_state_dict = load_optim_state_dict


def _colour_tracks(module: ModuleType) -> None:
    """Give MMDetection's visualizer of tracks its colours without seaborn, a second of imports."""
    if getattr(module, 'sns', '') is None:  # the forks have their own colours
        palette = importlib.import_module('matplotlib').colormaps['tab10'].colors
        vars(module)['sns'] = SimpleNamespace(color_palette=lambda: palette)


#: module -> the change that is made when it is imported
CHANGES = {
    'mmcv': _later('operators', 'fill_mmcv_ext'),
    'mmcv.ops.multi_scale_deform_attn': _later('operators', 'plain_deformable_attention'),
    'mmdet.visualization.local_visualizer': _colour_tracks,
    'mmdet.models.losses.focal_loss': _later('operators', 'plain_focal_loss'),
    'mmengine.runner.checkpoint': _later('checkpoint', 'guard_checkpoints'),
    'mmengine._strategy.fsdp': _resume_shards,
    'mmengine.config.utils': _name_package,
    'mmengine.fileio.handlers.yaml_handler': _load_plain_yaml,
    'mmengine.hooks.checkpoint_hook': _know_metrics,
    'mmengine.hooks.early_stopping_hook': _know_metrics,
    'mmengine.infer.infer': _later('embedded_config', 'guard_inferencers'),
    'mmengine.structures.instance_data': _later('instances', 'take_any_device'),
    # these have is_installed and get_installed_path under their own names
    'mmengine.utils.package_utils': _replace_functions,
    'mmengine.utils': _replace_functions,
    'mmengine.config.config': _replace_functions,
    'mmengine.hub.hub': _replace_functions,
}


def install() -> None:
    """Arrange the changes; it is safe to call this again.

    Processes that multiprocessing starts afresh (spawn, forkserver) import this package before
    they unpickle their work, such as a data set of MMDetection's around ours: the configuration
    that children inherit comes first and names this function.
    """
    vars(current_process()).get('_config', {})['mmcico'] = install
    for module, change in CHANGES.items():
        when_imported(module, change)


install()
