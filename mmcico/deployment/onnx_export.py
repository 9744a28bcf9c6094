"""Write the clip network as an ONNX file, and prove that it is the same."""

import inspect
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmcico.models.vis.cico import CiCo

from .onnx_files import OnnxInfo, open_session, optional_package
from .onnx_network import DIVISOR, FRAMES, map_priors, output_names, run_session

Size = tuple[int, int]
#: the network is traced at this size: no level is a multiple of Swin's
#: window, so that its padding, which is cut off again, is in the trace
TRACE_SIZE: Size = (96, 160)
#: other sizes at which file and model are compared
CHECK_SIZES: tuple[Size, ...] = ((128, 96), (224, 256))
#: largest difference, as a share of the largest value if that is above one
TOLERANCE = 1e-4
#: versions of ONNX operators that the tracing exporter writes and that know
#: all operators of the heads
OPSETS = range(13, 21)


class ExportNetwork(nn.Module):
    """The network of one clip as a function of tensors.

    Args:
        model (CiCo): Its own parts are run.
    """

    def __init__(self, model: CiCo) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Run the network.

        Args:
            frames (Tensor): (T, 3, H, W) normalised.

        Returns:
            tuple[Tensor]: In the order of :func:`output_names`.
        """
        values = network_values(self.model, frames)
        return tuple(values[name] for name in output_names(self.model))


def network_values(model: CiCo, frames: Tensor) -> dict[str, Tensor]:
    """All outputs of a model by name, without batch axis.

    Args:
        model (CiCo): The model.
        frames (Tensor): (T, 3, H, W) normalised.

    Returns:
        dict[str, Tensor]: See :class:`ClipOutputs`, and ``protos``.
    """
    outputs, protos = model(frames[None], mode='tensor')
    values = outputs.of_clip(0)._asdict()
    return dict(values, protos=protos[0])


def export_onnx(
    model: CiCo, path: str, info: OnnxInfo, sizes: Sequence[Size] = CHECK_SIZES, opset: int = 17
) -> dict[Size, dict[str, float]]:
    """Write a model's network, for any height and width.

    The file is there only if ONNX Runtime gives what PyTorch gives at all
    sizes asked for.

    Args:
        model (CiCo): In eval mode.
        path (str): The file to write.
        info (OnnxInfo): Metadata.
        sizes (Sequence[tuple[int, int]]): Heights and widths at which file
            and model are compared, multiples of 32.
        opset (int): Version of ONNX operators.

    Returns:
        dict: For each size the largest difference of each output, see
        :func:`difference`.

    Raises:
        ValueError: If the model is in training mode, has a layer unknown to
            ONNX, a size, opset or folder cannot be used, or the file
            differs from the model.
    """
    check_request(model, path, sizes, opset)
    draft = f'{path}.draft'
    try:
        trace(model, draft, opset)
        add_metadata(draft, info)
        session = open_session(draft, ['CPUExecutionProvider'])
        report = {size: compare(model, session, size) for size in sizes}
        check_report(report, path)
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return report


def check_request(model: CiCo, path: str, sizes: Sequence[Size], opset: int) -> None:
    """Refuse what cannot be exported.

    Raises:
        ValueError: Then.
    """
    optional_package('onnx')
    if model.training:
        raise ValueError('only a model in eval mode can be exported; call model.eval() first')
    if any(True for _ in model.mask_head.generator.parameters()):
        raise ValueError(
            'mask_head.generator has weights of its own; it draws masks '
            'outside of the file, which would lose them'
        )
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise ValueError(f'cannot write "{path}": there is no folder "{folder}"')
    if opset not in OPSETS:
        raise ValueError(f'opset={opset} is not one of {OPSETS.start} to {OPSETS.stop - 1}')
    wrong = [size for size in sizes if any(x % DIVISOR for x in size)]
    if wrong or not sizes:
        raise ValueError(f'sizes to check at must be multiples of {DIVISOR}, got {wrong or "none"}')


def example(model: CiCo, size: Size) -> Tensor:
    """(T, 3, H, W) frames of noise, the same in every run."""
    like = next(model.parameters())
    source = torch.Generator().manual_seed(0)
    return torch.randn(model.num_frames, 3, *size, generator=source).to(like)


def trace(model: CiCo, path: str, opset: int) -> None:
    """Write the network without metadata.

    Raises:
        ValueError: If a layer has no counterpart in ONNX.
    """
    names = output_names(model)
    axes = {name: {1: 'rows'} for name in names}
    axes['protos'] = {2: 'map_height', 3: 'map_width'}
    axes[FRAMES] = {2: 'height', 3: 'width'}
    options: dict[str, Any] = dict(opset_version=opset, dynamic_axes=axes)
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        # the exporter by tracing: seconds, and no further package; the
        # newer one takes minutes for Swin
        options['dynamo'] = False
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # what tracing warns of is compared at other sizes afterwards
            warnings.simplefilter('ignore')
            torch.onnx.export(
                ExportNetwork(model).eval(),
                (example(model, TRACE_SIZE),),
                path,
                input_names=[FRAMES],
                output_names=names,
                **options,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ValueError(
            f'a layer of the model does not export to opset {opset}: {error}'
        ) from error


def add_metadata(path: str, info: OnnxInfo) -> None:
    """Add metadata to a file."""
    onnx = optional_package('onnx')
    content = onnx.load(path)
    for name, value in info.to_props().items():
        content.metadata_props.add(key=name, value=value)
    onnx.save(content, path)


def difference(value: Tensor, wanted: Tensor) -> float:
    """Largest difference of two tensors.

    Args:
        value (Tensor): Any shape.
        wanted (Tensor): The same shape.

    Returns:
        float: As a share of the largest wanted value, if that is above one.
        Infinite if shapes differ or a value is not a number.
    """
    if value.shape != wanted.shape:
        return float('inf')
    wanted = wanted.float().to(value.device)
    share = (value - wanted).abs().max() / wanted.abs().max().clamp(min=1)
    return float(share.nan_to_num(nan=float('inf')))


@torch.no_grad()
def compare(model: CiCo, session: Any, size: Size) -> dict[str, float]:
    """Differences of file and model on the same frames.

    Args:
        model (CiCo): The model.
        session (InferenceSession): Of the file.
        size (tuple[int, int]): Height and width of the frames.

    Returns:
        dict[str, float]: By output, and ``priors``.
    """
    frames = example(model, size)
    wanted = network_values(model, frames)
    found = run_session(session, frames)
    found['priors'] = map_priors(model, size, frames)
    return {name: difference(value, wanted[name]) for name, value in found.items()}


def check_report(report: dict[Size, dict[str, float]], path: str) -> None:
    """Refuse a file that differs from the model.

    Raises:
        ValueError: Then, with all differences.
    """
    wrong: list[str] = [
        f'{name} at {size[0]} x {size[1]}: {value:.2g}'
        for size, values in report.items()
        for name, value in values.items()
        if not value <= TOLERANCE
    ]
    if wrong:
        raise ValueError(
            f'"{path}" was not written: ONNX Runtime differs from PyTorch by '
            f'more than {TOLERANCE:g} in {"; ".join(wrong)}. A backbone or '
            'neck of the config does not export for all sizes'
        )
