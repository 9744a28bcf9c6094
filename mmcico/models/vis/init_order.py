"""Which initialisers of a whole model have to come last."""

from mmdet.utils import OptMultiConfig

from mmcico.registry import WEIGHT_INITIALIZERS


def comes_last(init_cfg: dict) -> bool:
    """Whether an initialiser builds on what the parts have done."""
    kind: str | type = init_cfg['type']
    if isinstance(kind, str):
        kind = WEIGHT_INITIALIZERS.get(kind)
    return getattr(kind, 'after_children', False)


def split_init_cfg(init_cfg: OptMultiConfig) -> tuple[list[dict], list[dict]]:
    """Initialisers before the parts of a model, and after them.

    Args:
        init_cfg (dict | list[dict], optional): As given to the model.

    Returns:
        tuple[list[dict], list[dict]]: Those that run before or within
        ``init_weights`` of mmengine, and those that run after it.
    """
    if init_cfg is None:
        return [], []
    cfgs = [init_cfg] if isinstance(init_cfg, dict) else list(init_cfg)
    return ([cfg for cfg in cfgs if not comes_last(cfg)], [cfg for cfg in cfgs if comes_last(cfg)])
