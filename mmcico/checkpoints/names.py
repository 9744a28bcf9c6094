"""Translation of parameter names from the published models and MMDetection to mmcico, and back.

A rule pairs a prefix of published names with a prefix of mmcico's names. ``{i}`` stands for a
number, which is ``start + step * i`` in the published name and ``i`` in mmcico's name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from torch import Tensor

#: levels of the published models: P3 to P5 come from the backbone, P6 and P7 from P5
LEVELS, EXTRA_LEVELS = 3, 2
TOWERS = (('bbox_extra', 'box_tower'), ('conf_extra', 'cls_tower'), ('track_extra', 'track_tower'))
LAYERS = (
    ('bbox_layer', 'bbox_layer'),
    ('conf_layer', 'cls_layer'),
    ('track_layer', 'track_layer'),
    ('mask_layer', 'mask_layer'),
    ('centerness_layer', 'centerness_layer'),
)
#: parts of names within a block of Swin
SWIN_PARTS = (
    ('.attn.', '.attn.w_msa.'),
    ('.mlp.fc1.', '.ffn.layers.0.0.'),
    ('.mlp.fc2.', '.ffn.layers.1.'),
)
NORM_LEAVES = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


@dataclass(frozen=True)
class Rule:
    """Two prefixes of names for the same layer.

    Args:
        published (str): Prefix of published names, with ``{i}`` for a number.
        ours (str): Prefix of mmcico's names, with ``{i}`` for the number.
        step (int): Difference between consecutive published numbers.
        start (int): Published number of mmcico's layer 0.
    """

    published: str
    ours: str
    step: int = 1
    start: int = 0

    def to_ours(self, name: str) -> str | None:
        """Return mmcico's name, None if the rule is about another layer."""

        def number(published: int) -> int:
            index, rest = divmod(published - self.start, self.step)
            return -1 if rest else index

        return renamed(name, self.published, self.ours, number)

    def to_published(self, name: str) -> str | None:
        """Return the published name, None if the rule is about another layer."""
        return renamed(name, self.ours, self.published, lambda i: self.start + self.step * i)


def renamed(name: str, old: str, new: str, number: Callable[[int], int]) -> str | None:
    """Return a name with a new prefix and number, None if it lacks the old one or none fits."""
    found = prefix(old).match(name)
    if found is None:
        return None
    rest = name[found.end() :]
    if not found.groups():
        return new + rest
    index = number(int(found[1]))
    return None if index < 0 else new.format(i=index) + rest


def prefix(pattern: str) -> re.Pattern:
    """Return a prefix of names as a regular expression."""
    return re.compile(re.escape(pattern).replace(r'\{i\}', r'(\d+)'))


@cache
def rules(levels: int = LEVELS) -> tuple[Rule, ...]:
    """Return the rules for both directions; at most one of them fits a name.

    ``levels`` is the number of those that the neck takes from the backbone; the published files
    count them from coarse to fine.
    """
    out = [
        Rule('backbone.layer.{i}.', 'backbone.layer{i}.', start=-1),
        Rule('backbone.patch_embed.proj.', 'backbone.patch_embed.projection.'),
        Rule('backbone.layers.{i}.', 'backbone.stages.{i}.'),
        Rule('fpn.lat_layers.{i}.', 'neck.lateral_convs.{i}.', -1, levels - 1),
        Rule('fpn.pred_layers.{i}.', 'neck.fpn_convs.{i}.', -1, levels - 1),
        Rule('fpn.downsample_layers.{i}.', 'neck.downsample_convs.{i}.'),
        Rule('ProtoNet.mask_refine.{i}.0.', 'mask_head.refine.{i}.conv.'),
        Rule('ProtoNet.mask_refine.{i}.1.', 'mask_head.refine.{i}.bn.'),
        Rule('ProtoNet.proto_net.{i}.', 'mask_head.tower.convs.{i}.conv.', 3),
        Rule('ProtoNet.proto_net.{i}.', 'mask_head.tower.convs.{i}.bn.', 3, 1),
        Rule('ProtoNet.proto_conv.0.', 'mask_head.reduce.0.conv.'),
        Rule('ProtoNet.proto_conv.1.', 'mask_head.reduce.0.bn.'),
        Rule('ProtoNet.proto_conv.3.', 'mask_head.reduce.1.conv.'),
    ]
    for published, ours in TOWERS:
        out.append(
            Rule(f'prediction_layers.{published}.{{i}}.', f'bbox_head.{ours}.convs.{{i}}.conv.', 2)
        )
    for published, ours in LAYERS:
        out.append(Rule(f'prediction_layers.{published}.', f'bbox_head.{ours}.'))
    return tuple(out)


def to_ours(name: str, levels: int = LEVELS) -> str | None:
    """Return mmcico's name of a published parameter, None if there is none."""
    for rule in rules(levels):
        ours = rule.to_ours(name)
        if ours is not None:
            if ours.startswith('backbone.stages.'):
                for published, own in SWIN_PARTS:
                    ours = ours.replace(published, own)
            return ours
    return name if name.startswith('backbone.') else None


def to_published(name: str, levels: int = LEVELS) -> str | None:
    """Return the published name of a parameter of mmcico, None if there is none."""
    for rule in rules(levels):
        published = rule.to_published(name)
        if published is not None:
            if published.startswith('backbone.layers.'):
                for part, own in SWIN_PARTS:
                    published = published.replace(own, part)
            return published
    return name if name.startswith('backbone.') else None


def modern_name(name: str) -> str:
    """Return the name in the present layout of a name in an older file.

    >>> modern_name('module.proto_net.0.weight')
    'ProtoNet.proto_net.0.weight'
    >>> modern_name('prediction_layers.0.bbox_layer.bias')
    'prediction_layers.bbox_layer.bias'
    """
    while name.startswith('module.'):
        name = name[len('module.') :]
    if name.startswith(('mask_refine.', 'proto_net.', 'proto_conv.')):
        name = 'ProtoNet.' + name
    return re.sub(r'^prediction_layers\.0\.', 'prediction_layers.', name)


def modern_names(params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file under their names in the present layout.

    Raises:
        ValueError: If two names of the file become the same name.
    """
    out: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for name, value in params.items():
        modern = modern_name(name)
        if modern in out:
            raise ValueError(
                f'"{origin[modern]}" and "{name}" are both "{modern}" in the present layout; '
                'remove one of them from the file'
            )
        out[modern], origin[modern] = value, name
    return out


def count_levels(names: Iterable[str], pattern: str) -> int:
    """Return one more than the highest number ``{i}`` of names that begin with a pattern, or 0."""
    found = [prefix(pattern).match(name) for name in names]
    return 1 + max((int(each.group(1)) for each in found if each), default=-1)


def published_head_names() -> list[str]:
    """Return the names of all parameters of a published model except those of its backbone."""
    fpn = (('lat', LEVELS), ('pred', LEVELS), ('downsample', EXTRA_LEVELS))
    convs = [
        *(f'fpn.{layer}_layers.{i}' for layer, number in fpn for i in range(number)),
        *(f'ProtoNet.mask_refine.{i}.0' for i in range(LEVELS)),
        *(f'ProtoNet.proto_{i}' for i in ('net.0', 'net.3', 'net.6', 'conv.0', 'conv.3')),
        *(f'prediction_layers.{name}' for name, _ in LAYERS),
        *(f'prediction_layers.{name}.{i}' for name, _ in TOWERS for i in (0, 2, 4, 6)),
    ]
    norms = [
        *(f'ProtoNet.mask_refine.{i}.1' for i in range(LEVELS)),
        *(f'ProtoNet.proto_{i}' for i in ('net.1', 'net.4', 'net.7', 'conv.1')),
    ]
    return [f'{conv}.{leaf}' for conv in convs for leaf in ('weight', 'bias')] + [
        f'{norm}.{leaf}' for norm in norms for leaf in NORM_LEAVES
    ]


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
    found, goals = ([rule.to_ours(name) for rule in each] for each in (neck, rules))
    return [ours for ours in found if ours][:1] or [ours for ours in goals if ours]


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
