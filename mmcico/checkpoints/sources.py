"""Kinds of image checkpoints, and names of their parameters in mmcico."""

from collections.abc import Iterable

from torch import Tensor

from .names import Rule, count_levels, modern_name, to_ours

#: prefixes of names that only a kind of checkpoint has
MARKS = {
    'published': ('fpn.lat_layers.', 'prediction_layers.', 'ProtoNet.'),
    'mmcico': ('bbox_head.cls_layer.',),
    'yolact': ('mask_head.protonet.', 'bbox_head.head_convs.'),
    'condinst': ('bbox_head.controller.',),
}

#: the head of MMDetection's YOLACT has one tower, which initialises all three towers of mmcico
YOLACT_RULES = (
    *(
        Rule('bbox_head.head_convs.{i}.', f'bbox_head.{tower}.convs.{{i}}.')
        for tower in ('box_tower', 'cls_tower', 'track_tower')
    ),
    Rule('mask_head.protonet.0.', 'mask_head.tower.convs.0.conv.'),
    Rule('mask_head.protonet.2.', 'mask_head.tower.convs.1.conv.'),
    Rule('mask_head.protonet.4.', 'mask_head.tower.convs.2.conv.'),
    Rule('mask_head.protonet.8.', 'mask_head.reduce.0.conv.'),
    Rule('mask_head.protonet.10.', 'mask_head.reduce.1.conv.'),
)

CONDINST_RULES = (
    Rule('bbox_head.cls_convs.{i}.', 'bbox_head.cls_tower.convs.{i}.'),
    Rule('bbox_head.reg_convs.{i}.', 'bbox_head.box_tower.convs.{i}.'),
)


def kind_of(names: Iterable[str]) -> str:
    """Return the kind of checkpoint that has parameters of these names.

    Args:
        names (Iterable[str]): Names in the file.

    Returns:
        str: ``'published'``, ``'mmcico'``, ``'yolact'`` or ``'condinst'``; the last two are those
        of MMDetection.

    Raises:
        ValueError: If the names belong to none of them.
    """
    names = [modern_name(name) for name in names]
    for kind, marks in MARKS.items():
        if any(name.startswith(marks) for name in names):
            return kind
    raise ValueError(
        f'the parameters of the checkpoint have names such as {names[:3]}, which belong to none of '
        f"the kinds {sorted(MARKS)}; for a backbone alone use init_cfg=dict(type='Pretrained', "
        '...) of the backbone'
    )


def neck_rules(levels: int) -> list[Rule]:
    """Return the rules from MMDetection's ``FPN`` to :class:`YolactFPN`.

    ``levels`` is the number of lateral convolutions; further ``fpn_convs`` make the coarser levels.
    """
    return [
        Rule('neck.lateral_convs.{i}.conv.', 'neck.lateral_convs.{i}.'),
        Rule('neck.fpn_convs.{i}.conv.', 'neck.downsample_convs.{i}.', start=levels),
        Rule('neck.fpn_convs.{i}.conv.', 'neck.fpn_convs.{i}.'),
    ]


def mmdet_places(
    name: str, rules: Iterable[Rule], neck: Iterable[Rule], state: dict[str, Tensor]
) -> list[str]:
    """Return mmcico's names of a parameter of a detector of MMDetection; there may be none.

    All rules for the heads that fit apply, and the first for the neck. Backbones, and necks of the
    same type, have the same names as in the state of the model.
    """
    if name.startswith('backbone.') or (name.startswith('neck.') and name in state):
        return [name]
    for rule in neck:
        found = rule.to_ours(name)
        if found is not None:
            return [found]
    goals = [rule.to_ours(name) for rule in rules]
    return [ours for ours in goals if ours is not None]


def places(params: dict[str, Tensor], kind: str, state: dict[str, Tensor]) -> dict[str, list[str]]:
    """Return mmcico's names of each parameter of a checkpoint; the model need not have them.

    The parameters have their names in the present layout; ``kind`` is that of :func:`kind_of`.
    """
    if kind == 'published':
        levels = count_levels(params, 'fpn.lat_layers.{i}.')
        ours: dict[str, str | None] = {name: to_ours(name, levels) for name in params}
        return {name: [own] if own else [] for name, own in ours.items()}
    if kind == 'mmcico':
        return {name: [name] for name in params}
    neck = neck_rules(count_levels(params, 'neck.lateral_convs.{i}.'))
    rules = YOLACT_RULES if kind == 'yolact' else CONDINST_RULES
    return {name: mmdet_places(name, rules, neck, state) for name in params}
