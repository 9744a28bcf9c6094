"""Initialisation of a clip model from a checkpoint of an image detector."""

from collections.abc import Iterator, Sequence

import torch
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmcico.registry import WEIGHT_INITIALIZERS

from .convert import CLASS_LAYER, complete, not_needed, note, reordered
from .layout import ModelLayout, Report, parameters
from .names import kind_of, modern_names, places

BOX_LAYER = 'bbox_head.bbox_layer.'
PROTO_TOWER = 'mask_head.tower.'
#: temporal weights of the prototypes' kernels, which lean on the frame itself
PROTO_TAPS = (0.125, 0.75, 0.125)


def inflate_kernel(kernel: Tensor, taps: Sequence[float]) -> Tensor:
    """Spread a 2D kernel over time by kt temporal weights, (O, I, h, w) -> (O, I, kt, h, w)."""
    return torch.stack([kernel * tap for tap in taps], dim=2)


def repeat_box_rows(rows: Tensor, num_anchors: int, num_frames: int) -> Tensor:
    """Repeat the box of an image for every frame of a clip, (A * 4, ...) -> (A * T * 4, ...).

    The rows are weights or biases of the box layer; the frames of an anchor are side by side.
    """
    return rows.unflatten(0, (num_anchors, 4)).repeat_interleave(num_frames, 0).flatten(0, 1)


def time_taps(name: str, size: int, num_frames: int) -> list[float]:
    """Return the temporal weights for a kernel of a name that was trained on images.

    Their sum is 1, which leaves the response to a still video unchanged. The prototypes belong to a
    frame, so their kernels lean on it; those of the other towers weigh all frames equally. With
    T = 1 only the middle tap, which alone meets a frame, is not 0.
    """
    if num_frames == 1:
        return [float(tap == size // 2) for tap in range(size)]
    if name.startswith(PROTO_TOWER) and size == 3:
        return list(PROTO_TAPS)
    return [1 / size] * size


def fit(
    name: str, value: Tensor, own: Tensor, model: ModelLayout, of_images: bool
) -> tuple[Tensor | None, str | None]:
    """Return a value in the shape of the model's, None if it does not fit, and what was changed.

    ``of_images`` says that the file was trained on clips of one frame, so that only the middle taps
    of its 3D kernels were trained.
    """
    done = f'{tuple(value.shape)} -> {tuple(own.shape)}, '
    middle = of_images and model.num_frames > 1 and value.dim() == 5
    if middle:
        value = value[:, :, value.shape[2] // 2]
        done += 'middle tap '
    if value.shape == own.shape:
        return value, done + 'alone' if middle else None
    if value.dim() == 4 and own.dim() == 5 and value.shape == own[:, :, 0].shape:
        taps = time_taps(name, own.shape[2], model.num_frames)
        shown = ', '.join(f'{tap:.3g}' for tap in taps)
        return inflate_kernel(value, taps), done + f'times {shown} in time'
    if (
        name.startswith(BOX_LAYER)
        and len(value) == 4 * model.num_anchors
        and value.shape[1:] == own.shape[1:]
        and len(own) == len(value) * model.num_frames
    ):
        return (
            repeat_box_rows(value, model.num_anchors, model.num_frames),
            done + "each anchor's box repeated for every frame",
        )
    return None, None


def inflate(
    params: dict[str, Tensor], model: ModelLayout, take_classes: bool = False
) -> tuple[dict[str, Tensor], Report]:
    """Convert the parameters of an image detector to those of a clip model.

    Args:
        params (dict[str, Tensor]): Parameters of a published COCO model, of a model of mmcico with
            T = 1, or of MMDetection's YOLACT or CondInst.
        model (ModelLayout): The clip model.
        take_classes (bool): Whether to take the class layer, too. This is only right with the same
            classes in the same order.

    Returns:
        tuple[dict[str, Tensor], Report]: Parameters by their names in the model, and a report of
        each.

    Raises:
        ValueError: If the kind of the file is not known, no parameter fits, or the class layer is
            wanted and does not fit.
    """
    kind = kind_of(params)
    params = modern_names(params)
    goals = places(params, kind, model.state)
    of_images = any(
        len(params[name]) == 4 * model.num_anchors
        for name, ours in goals.items()
        if BOX_LAYER + 'bias' in ours
    )
    report, found = Report(), {}
    misfits: set[str] = set()
    for name, ours in candidates(params, goals, model, take_classes, report):
        value, done = params[name], None
        if kind == 'published':
            value, done = reordered(ours, value, model)
        fitted, reshaped = fit(ours, value, model.state[ours], model, of_images)
        if fitted is None:
            report.shapes_differ(name, params[name], model.state[ours])
            misfits.add(layer_of(ours))
        else:
            found[ours] = (name, fitted, done or reshaped)
    out = whole_layers(found, misfits, report)
    out = complete(out, model, report)
    check_taken(out, report, kind, take_classes)
    return out, report


def candidates(
    params: dict[str, Tensor],
    goals: dict[str, list[str]],
    model: ModelLayout,
    take_classes: bool,
    report: Report,
) -> Iterator[tuple[str, str]]:
    """Yield names in the file and in the model of parameters that may fit; report the others."""
    for name, value in params.items():
        known = [ours for ours in goals[name] if ours in model.state]
        for ours in known or goals[name]:
            reason = not_needed(name, value, ours, model)
            if ours.startswith(CLASS_LAYER) and not take_classes:
                reason = 'classes are learned from scratch (take_classes=False)'
            if reason is not None:
                report.dropped[name] = reason
            elif ours in known:
                yield name, ours
        if not known and name not in report.dropped:
            report.unexpected[name] = 'the model has no such parameter'


def layer_of(name: str) -> str:
    """Return a name without its last part."""
    return name.rsplit('.', 1)[0]


def whole_layers(
    found: dict[str, tuple[str, Tensor, str | None]], misfits: set[str], report: Report
) -> dict[str, Tensor]:
    """Return the values by name in the model, without those of layers that do not fit as a whole.

    ``found`` has the name in the file, the value, and what was changed, by name in the model;
    ``misfits`` are the layers with a parameter that does not fit. The report gets an entry for each
    parameter.
    """
    out = {}
    for ours, (name, value, done) in found.items():
        if layer_of(ours) in misfits:
            report.wrong_shape[name] = 'the rest of its layer does not fit'
        else:
            out[ours] = value
            note(report, ours, done)
    return out


def check_taken(out: dict[str, Tensor], report: Report, kind: str, take_classes: bool) -> None:
    """Check that a file gives the parameters that were asked for.

    Raises:
        ValueError: If no parameter fits, or the class layer does not.
    """
    if not report.placed:
        raise ValueError(
            f'nothing in the checkpoint (of kind {kind!r}) fits this model; the first differences '
            f'are {report.lines()[1:8]}'
        )
    if take_classes and CLASS_LAYER + 'weight' not in out:
        raise ValueError(
            f'take_classes=True, but the class layer of the checkpoint (of kind {kind!r}) does not '
            f'fit this model: {report.wrong_shape or "the model has no such layer"}; give a '
            'published model or one of mmcico with the same classes'
        )


@WEIGHT_INITIALIZERS.register_module()
class InflatedPretrained:
    """Initialiser from a checkpoint of an image detector, for ``init_cfg`` of :class:`CiCo`.

    2D kernels are spread over time and boxes repeated for every frame, as docs/en/checkpoints.md
    describes. The log lists which parameters were taken, reshaped and left out.

    Args:
        checkpoint (str): File or URL of a published COCO model, of a model of mmcico with T = 1,
            or of MMDetection's YOLACT or CondInst.
        take_classes (bool): Whether to take the class layer, too. This is only right with the same
            classes in the same order.
    """

    #: the parts of the model are initialised before this initialiser runs
    after_children = True

    def __init__(self, checkpoint: str, take_classes: bool = False) -> None:
        self.checkpoint = checkpoint
        self.take_classes = take_classes

    def __call__(self, module: nn.Module) -> None:
        """Load the parameters that fit into a :class:`CiCo`, and log a report.

        Raises:
            ValueError: If the kind of the file is not known, or no parameter fits.
        """
        content = CheckpointLoader.load_checkpoint(
            self.checkpoint, map_location='cpu', logger='silent'
        )
        params, others = parameters(content, self.checkpoint)
        try:
            values, report = inflate(params, ModelLayout.of(module), self.take_classes)
        except ValueError as error:
            raise ValueError(f'init_cfg, checkpoint "{self.checkpoint}": {error}') from error
        report.unexpected.update(dict.fromkeys(others, 'not a tensor'))
        module.load_state_dict(values, strict=False)
        print_log(
            f'initialised from "{self.checkpoint}"; missing parameters keep their initial values; '
            f'{report}',
            logger='current',
        )
