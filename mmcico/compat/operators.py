"""Operators that mmcv calls in ``mmcv._ext``, for an mmcv without compiled ones.

The signatures are those of mmcv 2.1.0 and onedl-mmcv 2.3.6, which pass the tensors for the results.
NMS and RoIAlign use torchvision where it works; the plain versions give the same results.
"""

import functools
import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .check import COMMANDS, COMPILED, UNINSTALL, installed_stack

OPERATORS = ('nms', 'roi_align_backward', 'roi_align_forward')
EXT_NAME = 'mmcv._ext'
MEAN_POOL = 1


def _missing(name: str) -> Callable[..., Any]:
    """Return a function which says that an operator is missing; any public name is one."""
    if name.startswith('__'):
        raise AttributeError(f'module "{EXT_NAME}" has no "{name}"')

    def fail(*args: Any, **kwargs: Any) -> Any:
        stack = installed_stack()
        raise RuntimeError(
            f'the operator "{name}" was called, but the installed mmcv has no compiled operators '
            '(mmcv-lite or onedl-mmcv from its source package), and mmcico has no PyTorch version '
            'of this one; choose a model without it, or install an mmcv with compiled operators '
            f'for your PyTorch:\n  {UNINSTALL[stack]}\n  {COMPILED[stack]}'
        )

    return fail


def fill_mmcv_ext(mmcv: ModuleType) -> None:
    """Give mmcv a module ``_ext`` unless it has one.

    ``mmcv.ops`` imports it, and much of MMDetection imports ``mmcv.ops``; mmcv-lite has no such
    module. Compiled operators are never replaced.

    Raises:
        ImportError: If there are compiled operators that do not load.
    """
    if EXT_NAME in sys.modules:
        return
    if importlib.util.find_spec(EXT_NAME):
        _load_compiled()
        return
    ext = sys.modules[EXT_NAME] = ModuleType(EXT_NAME)
    ext.__spec__ = ModuleSpec(EXT_NAME, None, origin=__name__)
    vars(ext).update({name: globals()[name] for name in OPERATORS})
    # reports of the environment by mmcv and mmengine ask for the compilers
    compilers = dict.fromkeys(('get_compiler_version', 'get_compiling_cuda_version'), lambda: 'n/a')
    vars(ext).update(compilers, __getattr__=_missing)
    vars(mmcv)['_ext'] = ext


def _load_compiled() -> None:
    try:
        importlib.import_module(EXT_NAME)
    except ImportError as error:
        stack = installed_stack()
        raise ImportError(
            f'the compiled operators of the installed mmcv do not load: {error}; they are damaged '
            f'or for another PyTorch than {torch.__version__}; mmcico does not need them, so run:'
            f'\n  {UNINSTALL[stack]}\n  {COMMANDS[stack]}\nor, to have such operators:'
            f'\n  {UNINSTALL[stack]}\n  {COMPILED[stack]}'
        ) from error


@functools.cache
def torchvision_ops() -> ModuleType | None:
    """Return ``torchvision.ops`` if it works beside the installed PyTorch."""
    try:
        from torchvision import ops

        ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    # a build for another PyTorch fails on import or lacks its compiled operators
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None
    return ops


def pairwise_iou(rows: Tensor, cols: Tensor, offset: int) -> Tensor:
    """Compute the (N, M) IoU of two sets of boxes xyxy, 0 where both boxes are empty."""
    low = torch.max(rows[:, None, :2], cols[None, :, :2])
    high = torch.min(rows[:, None, 2:], cols[None, :, 2:])
    inter = (high - low + offset).clamp(min=0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2] + offset).prod(-1) for boxes in (rows, cols)]
    union = areas[0][:, None] + areas[1] - inter
    return torch.where(union > 0, inter / union, 0.0)


def nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Drop each box xyxy whose IoU with a kept, better one is above ``iou_threshold``.

    With an ``offset`` of 1, the right and lower border belong to the box. Returns the indices of
    the kept boxes, best score first.
    """
    fast = torchvision_ops()
    if fast and not offset:
        return fast.nms(bboxes, scores, iou_threshold)
    order = scores.sort(descending=True, stable=True).indices
    boxes, alive = bboxes[order].float(), torch.ones_like(order, dtype=torch.bool)
    for i in range(len(order)):
        if alive[i]:
            overlap = pairwise_iou(boxes[i : i + 1], boxes[i + 1 :], offset)[0]
            alive[i + 1 :] &= overlap <= iou_threshold
    return order[alive]


def _axis_weights(
    low: float, high: float, bins: int, line: Tensor, options: dict[str, Any]
) -> tuple[Tensor, slice]:
    """Return the weights of cells in the mean of each bin of a RoI along one axis, and the cells.

    A RoI from ``low`` to ``high`` that is inverted or not finite has no samples.
    """
    size, aligned, ratio = len(line), options['aligned'], options['sampling_ratio']
    start, length = (each * options['spatial_scale'] for each in (low, high - low))
    if aligned:
        start -= 0.5
    else:  # as in the first RoIAlign: at least one cell
        length = max(length, 1.0)
    finite = math.isfinite(start + length)
    grid = (ratio if ratio > 0 else math.ceil(length / bins)) if finite else 0
    if grid <= 0:
        return line.new_zeros(bins, 0), slice(0, 0)
    steps = torch.arange(bins * grid, device=line.device) + 0.5
    coords = start + steps * (length / (bins * grid))
    inside = (coords >= -1) & (coords <= size)  # samples farther outside count as 0
    cells = torch.arange(size, device=line.device)
    weights = (1 - (cells - coords.clamp(0, size - 1)[:, None]).abs()).clamp(min=0)
    weights = (weights * inside[:, None]).unflatten(0, (bins, grid)).mean(1).to(line)
    touched = weights.any(0).nonzero().flatten().tolist() or [0]
    used = slice(touched[0], touched[-1] + 1)
    return weights[:, used], used


def _roi_weights(
    rois: Tensor, like: Tensor, options: dict[str, Any]
) -> Iterator[tuple[Tensor, Tensor, tuple[Any, ...]]]:
    """Yield weights along y, weights along x and the place in ``like`` of each RoI."""
    for index, left, top, right, bottom in rois.float().tolist():
        rows, y = _axis_weights(top, bottom, options['aligned_height'], like[0, 0, :, 0], options)
        cols, x = _axis_weights(left, right, options['aligned_width'], like[0, 0, 0], options)
        yield rows, cols, (int(index), slice(None), y, x)


def roi_align_forward(
    input: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor, argmax_x: Tensor, **options: Any
) -> None:
    """Pool each RoI to a fixed size (He et al., Mask R-CNN, ICCV 2017).

    Bilinear weights of a regular grid are products of weights along y and along x, so that a RoI
    is ``rows @ features @ columns.T``. ``rois`` are (R, 5), image index and xyxy in pixels of the
    image; ``output`` receives the result, (R, C, h, w); ``options`` are those of mmcv.

    Raises:
        NotImplementedError: If ``pool_mode`` is the maximum.
    """
    if options['pool_mode'] != MEAN_POOL:
        raise NotImplementedError('RoIAlign with the maximum needs an mmcv with compiled operators')
    fast = torchvision_ops()
    if fast:
        bins = options['aligned_height'], options['aligned_width']
        rest = (options[name] for name in ('spatial_scale', 'sampling_ratio', 'aligned'))
        output.copy_(fast.roi_align(input, rois.to(input), bins, *rest))
        return
    for i, (rows, cols, place) in enumerate(_roi_weights(rois, input, options)):
        output[i] = rows @ input[place] @ cols.T


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    **options: Any,
) -> None:
    """Add the gradient of :func:`roi_align_forward` by the features to ``grad_input``."""
    for i, (rows, cols, place) in enumerate(_roi_weights(rois, grad_input, options)):
        grad_input[place] += rows.T @ grad_output[i] @ cols


def has_operators() -> bool:
    """Return whether mmcv has compiled operators."""
    return getattr(sys.modules[EXT_NAME], '__file__', None) is not None


def plain_focal_loss(module: ModuleType) -> None:
    """Let MMDetection compute the focal loss on GPUs as on CPUs if the operator is missing."""

    def sigmoid_focal_loss(pred: Tensor, target: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        one_hot = F.one_hot(target, pred.size(1) + 1)[:, :-1]  # the last class is background
        return module.py_sigmoid_focal_loss(pred, one_hot, *args, **kwargs)

    if not has_operators():
        vars(module).update(sigmoid_focal_loss=sigmoid_focal_loss)


def plain_deformable_attention(module: ModuleType) -> None:
    """Let mmcv compute deformable attention on GPUs as on CPUs if the operator is missing."""

    def apply(
        value: Tensor, shapes: Tensor, starts: Tensor, places: Tensor, weights: Tensor, step: Tensor
    ) -> Tensor:
        sizes = shapes.tolist()  # mmcv splits by it
        return module.multi_scale_deformable_attn_pytorch(value, sizes, places, weights)

    if not has_operators():
        module.MultiScaleDeformableAttnFunction.apply = apply
