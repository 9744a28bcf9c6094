"""Initialisation of a model for clips from a checkpoint for images."""

from collections.abc import Iterator

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmcico.registry import WEIGHT_INITIALIZERS

from .convert import CLASS_LAYER, complete, not_needed, note, value_to_ours
from .layout import ModelLayout, Report, parameters
from .names import modern_names
from .sources import kind_of, places
from .values import PROTO_TAPS, even_taps, inflate_kernel, repeat_box_rows

BOX_LAYER = 'bbox_head.bbox_layer.'
PROTO_TOWER = 'mask_head.tower.'


def time_taps(name: str, size: int, num_frames: int) -> list[float]:
    """Weights in time of a layer that was trained on images.

    Args:
        name (str): Our name of the kernel.
        size (int): Its temporal size here.
        num_frames (int): T.

    Returns:
        list[float]: Of sum 1. Prototypes belong to a frame and lean on it;
        the other towers weigh all frames alike.
    """
    if name.startswith(PROTO_TOWER) and num_frames > 1 and size == 3:
        return list(PROTO_TAPS)
    return even_taps(size, num_frames)


def fit(
    name: str, value: Tensor, own: Tensor, model: ModelLayout, of_images: bool
) -> tuple[Tensor | None, str | None]:
    """Bring a value to the shape that the model needs.

    Args:
        name (str): Our name.
        value (Tensor): As in the file.
        own (Tensor): The model's, for its shape.
        model (ModelLayout): The model.
        of_images (bool): Whether a clip was one frame when the file was
            trained: a 3D kernel then saw it by its middle tap only.

    Returns:
        tuple[Tensor | None, str | None]: The value, None if it cannot be
        fitted, and what was done to it, if anything.
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


def left_out(
    name: str, value: Tensor, ours: str, model: ModelLayout, take_classes: bool
) -> str | None:
    """Why a parameter with a place is knowingly not taken; None: it is."""
    if ours.startswith(CLASS_LAYER) and not take_classes:
        return 'classes are learned anew (take_classes=False)'
    return not_needed(name, value, ours, model)


def of_one_frame(
    params: dict[str, Tensor], goals: dict[str, list[str]], model: ModelLayout
) -> bool:
    """Whether the box layer of a file has the boxes of a single frame."""
    return any(
        len(params[name]) == 4 * model.num_anchors
        for name, ours in goals.items()
        if BOX_LAYER + 'bias' in ours
    )


def inflate(
    params: dict[str, Tensor], model: ModelLayout, take_classes: bool = False
) -> tuple[dict[str, Tensor], Report]:
    """Parameters for a model for clips from a checkpoint for images.

    Args:
        params (dict[str, Tensor]): Of the file: a published COCO model, one
            of ours with T = 1, MMDetection's YOLACT or CondInst.
        model (ModelLayout): The model.
        take_classes (bool): Take the class layer over. Only right with the
            same classes in the same order.

    Returns:
        tuple[dict[str, Tensor], Report]: What the file gives, under the
        model's names, and what became of each parameter.

    Raises:
        ValueError: If the file is of no known kind, gives nothing, or the
            class layer is wanted and does not fit.
    """
    kind = kind_of(params)
    params = modern_names(params)
    goals = places(params, kind, model.state)
    of_images = of_one_frame(params, goals, model)
    report, found = Report(), {}
    misfits: set[str] = set()
    for name, ours in wanted(params, goals, model, take_classes, report):
        value, done = params[name], None
        if kind == 'published':
            value, done = value_to_ours(ours, value, model)
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


def wanted(
    params: dict[str, Tensor],
    goals: dict[str, list[str]],
    model: ModelLayout,
    take_classes: bool,
    report: Report,
) -> Iterator[tuple[str, str]]:
    """Names there and here of what can be tried; the rest is reported."""
    for name, value in params.items():
        known = [ours for ours in goals[name] if ours in model.state]
        for ours in known or goals[name]:
            reason = left_out(name, value, ours, model, take_classes)
            if reason is not None:
                report.dropped[name] = reason
            elif ours in known:
                yield name, ours
        if not known and name not in report.dropped:
            report.unexpected[name] = 'nothing like it in this model'


def layer_of(name: str) -> str:
    """A name without its last part."""
    return name.rsplit('.', 1)[0]


def whole_layers(
    found: dict[str, tuple[str, Tensor, str | None]], misfits: set[str], report: Report
) -> dict[str, Tensor]:
    """What was found, without biases whose weights do not fit.

    Args:
        found (dict): Our name -> name there, value, what was done to it.
        misfits (set[str]): Layers here with a parameter that does not fit.
        report (Report): Gets an entry for each.

    Returns:
        dict[str, Tensor]: Values by our names.
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
    """Refuse a file that does not give what was asked for.

    Raises:
        ValueError: If no parameter fits, or the class layer does not.
    """
    if not report.placed:
        raise ValueError(
            f'nothing in the checkpoint (of kind {kind!r}) fits this model; '
            f'the first differences: {report.lines()[1:8]}'
        )
    if take_classes and CLASS_LAYER + 'weight' not in out:
        raise ValueError(
            'take_classes=True, but the class layer of the checkpoint (of '
            f'kind {kind!r}) does not fit this model: '
            f'{report.wrong_shape or "it has no counterpart here"}; only '
            'published models and ours with the same classes can give it'
        )


@WEIGHT_INITIALIZERS.register_module()
class InflatedPretrained:
    """Start from a detector of images: ``init_cfg`` of :class:`CiCo`.

    2D kernels are spread over time and boxes repeated for every frame, as
    docs/en/checkpoints.md says. What was taken, reshaped and left out is
    written to the log.

    Args:
        checkpoint (str): File or address of a published COCO model, of ours
            with T = 1, or of MMDetection's YOLACT or CondInst.
        take_classes (bool): Also take the class layer. Only right with the
            same classes in the same order.
    """

    #: the model's parts initialise themselves first
    after_children = True

    def __init__(self, checkpoint: str, take_classes: bool = False) -> None:
        self.checkpoint = checkpoint
        self.take_classes = take_classes

    def __call__(self, module: nn.Module) -> None:
        """Load what fits into a model and say so in the log.

        Args:
            module (nn.Module): A :class:`CiCo`.

        Raises:
            ValueError: If the file is of no known kind or gives nothing.
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
            f'initialised from "{self.checkpoint}"; what is missing keeps its '
            f'own initial values; {report}',
            logger='current',
        )
