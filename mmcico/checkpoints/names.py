"""Translation of parameter names between the published models and mmcico.

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
    convs: tuple[str, ...] = ()
    for layer, number in (('lat', LEVELS), ('pred', LEVELS), ('downsample', EXTRA_LEVELS)):
        convs += tuple(f'fpn.{layer}_layers.{i}' for i in range(number))
    convs += tuple(f'ProtoNet.mask_refine.{i}.0' for i in range(LEVELS))
    convs += tuple(f'ProtoNet.proto_net.{i}' for i in (0, 3, 6))
    convs += ('ProtoNet.proto_conv.0', 'ProtoNet.proto_conv.3')
    convs += tuple(f'prediction_layers.{name}' for name, _ in LAYERS)
    convs += tuple(f'prediction_layers.{name}.{i}' for name, _ in TOWERS for i in (0, 2, 4, 6))
    norms = tuple(f'ProtoNet.mask_refine.{i}.1' for i in range(LEVELS))
    norms += tuple(f'ProtoNet.proto_net.{i}' for i in (1, 4, 7))
    norms += ('ProtoNet.proto_conv.1',)
    return [f'{conv}.{leaf}' for conv in convs for leaf in ('weight', 'bias')] + [
        f'{norm}.{leaf}' for norm in norms for leaf in NORM_LEAVES
    ]
