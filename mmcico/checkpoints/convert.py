"""Conversion of published parameters to those of mmcico, and back."""

import torch
from torch import Tensor

from .layout import ModelLayout, Report
from .names import count_levels, modern_names, published_head_names, to_ours, to_published

#: buffers that a model computes from its settings, or that no result depends on
INDEX = '.relative_position_index'
OWN_BUFFERS = (INDEX, '.num_batches_tracked')
NORM0 = ('backbone.norm0.weight', 'backbone.norm0.bias')
CLASS_LAYER = 'bbox_head.cls_layer.'
HARD_NEGATIVES = 'mmcico.HardNegativeCrossEntropy'


def merging_to_mmdet(value: Tensor) -> Tensor:
    """Reorder the inputs (..., 4 C) of Swin's patch merging as MMDetection orders them.

    They are the channels of four neighbouring pixels. The original code orders them pixel by pixel,
    with (row, column) (0, 0), (1, 0), (0, 1), (1, 1). MMDetection orders them channel by channel,
    with (0, 0), (0, 1), (1, 0), (1, 1) in each.
    """
    pixels = value.unflatten(-1, (4, -1))[..., [0, 2, 1, 3], :]
    return pixels.transpose(-1, -2).flatten(-2)


def merging_to_published(value: Tensor) -> Tensor:
    """Invert :func:`merging_to_mmdet`."""
    pixels = value.unflatten(-1, (-1, 4)).transpose(-1, -2)
    return pixels[..., [0, 2, 1, 3], :].flatten(-2)


def roll_classes(rows: Tensor, num_anchors: int, shift: int) -> Tensor:
    """Roll the classes of each anchor in (A * (K + 1), ...) rows.

    A shift of -1 moves the background from the first to the last class, 1 moves it back.
    """
    return rows.unflatten(0, (num_anchors, -1)).roll(shift, dims=1).flatten(0, 1)


def reordered(
    name: str, value: Tensor, model: ModelLayout, to_published: bool = False
) -> tuple[Tensor, str | None]:
    """Return a published value in the order of mmcico, or the inverse, and what was changed.

    ``name`` is that in mmcico.
    """
    if name.startswith('backbone.stages.') and '.downsample.' in name:
        merging = merging_to_published if to_published else merging_to_mmdet
        return merging(value), 'inputs of patch merging reordered'
    is_softmax = name.startswith(CLASS_LAYER) and not model.use_sigmoid
    if not is_softmax or len(value) % model.num_anchors:
        return value, None
    shift, place = (1, 'first') if to_published else (-1, 'last')
    return roll_classes(value, model.num_anchors, shift), f'background moved to the {place} class'


def not_needed(name: str, value: Tensor, ours: str | None, model: ModelLayout) -> str | None:
    """Return the reason to leave out a published parameter, None if there is none."""
    if name in NORM0 and ours not in model.state:
        return 'the model does not use the output of this stage'
    if name.endswith(INDEX):
        own = None if ours is None else model.state.get(ours)
        if own is not None and torch.equal(own.cpu(), value.cpu()):
            return 'equal to that of the model'
    return None


def published_to_ours(
    params: dict[str, Tensor], model: ModelLayout
) -> tuple[dict[str, Tensor], Report]:
    """Convert the parameters of a published file.

    Args:
        params (dict[str, Tensor]): Parameters of the file, which may have an older layout.
        model (ModelLayout): The model that needs them.

    Returns:
        tuple[dict[str, Tensor], Report]: Parameters of mmcico in the order of the model, and a
        report of each.
    """
    params = modern_names(params)
    levels = count_levels(params, 'fpn.lat_layers.{i}.')
    out, report = {}, Report()
    for name, value in params.items():
        ours = to_ours(name, levels)
        reason = not_needed(name, value, ours, model)
        if reason is not None:
            report.dropped[name] = reason
            continue
        if ours not in model.state:
            report.unexpected[name] = 'the model has no such parameter'
            continue
        changed, done = reordered(ours, value, model)
        if name.endswith(INDEX):
            report.unexpected[name] = 'differs from that of the model'
        elif changed.shape != model.state[ours].shape:
            report.shapes_differ(name, value, model.state[ours], class_hint(ours, value, model))
        else:
            out[ours] = changed
            note(report, ours, done)
    return complete(out, model, report), report


def class_hint(name: str, value: Tensor, model: ModelLayout) -> str:
    """Return which loss and presets fit a published class layer that does not fit the model."""
    if not name.startswith(CLASS_LAYER):
        return ''
    rows, wanted = len(value), len(model.state[name])
    softmax = model.use_sigmoid and rows == wanted + model.num_anchors
    if softmax or rows == 26 * model.num_anchors:
        kind, loss, data = 'softmax over classes and background', HARD_NEGATIVES, 'ovis'
    elif not model.use_sigmoid and rows == wanted - model.num_anchors:
        kind, loss, data = 'independent classes', 'FocalLoss', 'youtubevis2019'
    else:
        return f'; is num_classes right for {rows} rows, {rows // model.num_anchors} per anchor?'
    return (
        f'; {rows} rows are {kind}: set model.bbox_head.losses.loss_cls to type {loss!r}, as in '
        f'configs/published/cico-*_published_{data}.py'
    )


def note(report: Report, name: str, done: str | None) -> None:
    """Add a parameter that was taken to the report."""
    if done is None:
        report.taken.append(name)
    else:
        report.changed[name] = done


def complete(out: dict[str, Tensor], model: ModelLayout, report: Report) -> dict[str, Tensor]:
    """Add the buffers that the model computes itself; return all in the order of the model."""
    ordered = {}
    for name, own in model.state.items():
        if name in out:
            ordered[name] = out[name]
        elif name.endswith(OWN_BUFFERS):
            ordered[name] = own.clone()
            report.made[name] = 'initial value of the model'
        else:
            report.missing.append(name)
    return ordered


def ours_to_published(
    params: dict[str, Tensor], model: ModelLayout
) -> tuple[dict[str, Tensor], Report]:
    """Convert the parameters of mmcico to those of a published file.

    Args:
        params (dict[str, Tensor]): Parameters of a checkpoint of mmcico.
        model (ModelLayout): The model of its config, a published preset.

    Returns:
        tuple[dict[str, Tensor], Report]: Published parameters, and a report of each.
    """
    levels = count_levels(model.state, 'neck.lateral_convs.{i}.')
    head = published_head_names()
    out, report = {}, Report()
    for name in params:
        if name not in model.state:
            report.unexpected[name] = 'the model has no such parameter'
    for name, own in model.state.items():
        value, published = params.get(name), to_published(name, levels)
        if value is None and not name.endswith(OWN_BUFFERS):
            report.missing.append(published or name)
        elif value is not None and value.shape != own.shape:
            report.shapes_differ(name, value, own)
        elif published is None or not (published.startswith('backbone.') or published in head):
            report.unexpected[name] = 'published models have no such parameter'
        elif value is None:
            out[published] = own.clone()
            report.made[published] = 'initial value of the model'
        else:
            out[published], done = reordered(name, value, model, to_published=True)
            note(report, published, done)
    report.missing += [name for name in head if name not in out and name not in report.missing]
    return add_norm0(out, report), report


def add_norm0(out: dict[str, Tensor], report: Report) -> dict[str, Tensor]:
    """Add the norm of Swin's first output, which a published file has, though it is not used."""
    embed = out.get('backbone.patch_embed.proj.bias')
    if embed is None or NORM0[0] in out:
        return out
    for name, value in zip(NORM0, (embed.new_ones(len(embed)), embed.new_zeros(len(embed)))):
        out[name] = value
        report.made[name] = 'not used; filled with ones and zeros'
    return out
