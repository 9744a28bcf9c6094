"""Registration of everything at once, as mmengine's hub asks for it."""

import importlib

PARTS = (
    'datasets.samplers',
    'datasets.transforms',
    'datasets.vis_dataset',
    'engine',
    'evaluation.vis_metric',
    'models',
)


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import all parts of mmcico and of MMDetection.

    Args:
        init_default_scope (bool): whether bare type names are looked up in
            MMDetection from now on. Defaults to True.
    """
    from mmdet.utils import register_all_modules as register_mmdet

    register_mmdet(init_default_scope)
    for part in PARTS:
        importlib.import_module(f'mmcico.{part}')
