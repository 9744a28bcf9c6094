"""Kinds of image checkpoints, and where their parameters go here."""

from collections.abc import Iterable

from torch import Tensor

from .names import Rule, count_levels, modern_name, to_ours

#: kind -> beginnings of names that only it has
MARKS = {
    'published': ('fpn.lat_layers.', 'prediction_layers.', 'ProtoNet.'),
    'mmcico': ('bbox_head.cls_layer.',),
    'yolact': ('mask_head.protonet.', 'bbox_head.head_convs.'),
    'condinst': ('bbox_head.controller.',),
}

#: MMDetection's YOLACT has one tower for everything
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
    """What kind of checkpoint has parameters of these names.

    Args:
        names (Iterable[str]): Names in the file.

    Returns:
        str: ``'published'``, ``'mmcico'``, ``'yolact'`` or ``'condinst'``;
        the last two are MMDetection's.

    Raises:
        ValueError: If it is none of them.
    """
    names = [modern_name(name) for name in names]
    for kind, marks in MARKS.items():
        if any(name.startswith(marks) for name in names):
            return kind
    raise ValueError(
        'the checkpoint is none of '
        f'{sorted(MARKS)}: its parameters are named {names[:3]} and the like; '
        "for a backbone alone use init_cfg=dict(type='Pretrained', ...) of "
        'the backbone'
    )


def neck_rules(levels: int) -> list[Rule]:
    """MMDetection's ``FPN`` as :class:`YolactFPN`.

    Args:
        levels (int): Number of lateral convolutions. Further ``fpn_convs``
            make the coarser levels.
    """
    return [
        Rule('neck.lateral_convs.{i}.conv.', 'neck.lateral_convs.{i}.'),
        Rule('neck.fpn_convs.{i}.conv.', 'neck.downsample_convs.{i}.', start=levels),
        Rule('neck.fpn_convs.{i}.conv.', 'neck.fpn_convs.{i}.'),
    ]


def mmdet_places(
    name: str, rules: Iterable[Rule], neck: Iterable[Rule], state: dict[str, Tensor]
) -> list[str]:
    """Our names of a parameter of one of MMDetection's detectors.

    Args:
        name (str): Its name there.
        rules (Iterable[Rule]): For its heads; all that fit are meant.
        neck (Iterable[Rule]): For its neck; the first that fits is meant.
        state (dict[str, Tensor]): Parameters here. Same names, of backbones
            and of the same neck, are the same layers.

    Returns:
        list[str]: None, one or several names.
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
    """Where the parameters of a checkpoint belong here.

    Args:
        params (dict[str, Tensor]): Of the file, names of present layout.
        kind (str): As from :func:`kind_of`.
        state (dict[str, Tensor]): State dict of the model.

    Returns:
        dict[str, list[str]]: Name there -> our names, which need not exist.
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
