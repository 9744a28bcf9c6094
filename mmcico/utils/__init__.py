"""Helpers for use around the package."""

import importlib

__all__ = ['register_all_modules']


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import all parts of mmcico and of MMDetection, as MMEngine's hub asks for it.

    Args:
        init_default_scope (bool): Whether bare type names are looked up in MMDetection from now
            on. Defaults to True.
    """
    import mmcico.compat  # noqa: F401

    from mmdet.utils import register_all_modules as register_mmdet

    from mmcico import registry

    register_mmdet(init_default_scope)
    for each in vars(registry).values():
        for location in getattr(each, '_locations', ()):
            importlib.import_module(location)
