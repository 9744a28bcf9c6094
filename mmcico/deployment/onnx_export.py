"""Export of the clip network to an ONNX file that is compared with the model."""

import inspect
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmcico.models.vis.cico import CiCo
from mmcico.utils.files import whole_file

from .onnx_files import (
    DIVISOR,
    FRAMES,
    OnnxInfo,
    map_priors,
    open_session,
    optional_package,
    output_names,
    run_session,
)

Size = tuple[int, int]
#: size at which the network is traced. Swin pads each level to a multiple of its window and cuts
#: the padding off if there is any; at this size all levels need padding, so the trace has the cut
TRACE_SIZE: Size = (96, 160)
#: further sizes at which the file and the model are compared
CHECK_SIZES: tuple[Size, ...] = ((128, 96), (224, 256))
#: largest allowed difference, relative to the largest value if that is above one
TOLERANCE = 1e-4
#: versions of ONNX operators that the tracing exporter writes and that have all operators of the
#: heads
OPSETS = range(13, 21)


class ExportNetwork(nn.Module):
    """The network of one clip as a function of tensors.

    Args:
        model (CiCo): Model whose layers run.
    """

    def __init__(self, model: CiCo) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs in the order of :func:`output_names` for (T, 3, H, W) frames."""
        values = network_values(self.model, frames)
        return tuple(values[name] for name in output_names(self.model))


def network_values(model: CiCo, frames: Tensor) -> dict[str, Tensor]:
    """Return the outputs of a model for (T, 3, H, W) frames, without batch axis.

    They are the fields of :class:`ClipOutputs`, and ``protos``.
    """
    outputs, protos = model(frames[None], mode='tensor')
    values = outputs.of_clip(0)._asdict()
    return dict(values, protos=protos[0])


def export_onnx(
    model: CiCo, path: str, info: OnnxInfo, sizes: Sequence[Size] = CHECK_SIZES, opset: int = 17
) -> dict[Size, dict[str, float]]:
    """Write the network of a model as an ONNX file for any height and width.

    The file is written only if ONNX Runtime and PyTorch agree at all given sizes.

    Args:
        model (CiCo): Model in eval mode.
        path (str): File to write.
        info (OnnxInfo): Metadata of the file.
        sizes (Sequence[tuple[int, int]]): Heights and widths at which the file and the model are
            compared, multiples of 32.
        opset (int): Version of ONNX operators.

    Returns:
        dict: Largest difference of each output for each size, see :func:`difference`.

    Raises:
        ValueError: If the model is not in eval mode or has a layer that ONNX does not know, if a
            size, the opset or the folder cannot be used, or if the file differs from the model.
        OSError: If the file cannot be written; one that was there stays as it was.
    """
    check_request(model, path, sizes, opset)
    with whole_file(path) as file:
        draft = str(file.name)
        trace(model, draft, opset)
        add_metadata(draft, info)
        session = open_session(draft, ['CPUExecutionProvider'])
        report = {size: compare(model, session, size) for size in sizes}
        check_report(report, path)
    return report


def check_request(model: CiCo, path: str, sizes: Sequence[Size], opset: int) -> None:
    """Check the arguments of :func:`export_onnx`.

    Raises:
        ValueError: If the model cannot be exported with these arguments.
    """
    optional_package('onnx')
    if model.training:
        raise ValueError('the model is not in eval mode; call model.eval() before the export')
    if any(True for _ in model.mask_head.generator.parameters()):
        raise ValueError(
            'mask_head.generator has weights of its own, which the file would lose, as masks are '
            'drawn outside of it; use a generator without weights'
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
    """Return (T, 3, H, W) frames of noise, the same in every run."""
    like = next(model.parameters())
    source = torch.Generator().manual_seed(0)
    return torch.randn(model.num_frames, 3, *size, generator=source).to(like)


def trace(model: CiCo, path: str, opset: int) -> None:
    """Write the network without metadata.

    Raises:
        ValueError: If ONNX has no counterpart of a layer.
    """
    names = output_names(model)
    axes = {name: {1: 'rows'} for name in names}
    axes['protos'] = {2: 'map_height', 3: 'map_width'}
    axes[FRAMES] = {2: 'height', 3: 'width'}
    options: dict[str, Any] = dict(opset_version=opset, dynamic_axes=axes)
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        # the tracing exporter takes seconds and needs no further package; the newer exporter takes
        # minutes for Swin
        options['dynamo'] = False
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # tracing warns of constants; the comparison at other sizes finds those that matter
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
    """Return the largest difference of two tensors, over the largest wanted value if above one.

    It is infinite if the shapes differ or a value is not a number.
    """
    if value.shape != wanted.shape:
        return float('inf')
    wanted = wanted.float().to(value.device)
    share = (value - wanted).abs().max() / wanted.abs().max().clamp(min=1)
    return float(share.nan_to_num(nan=float('inf')))


@torch.no_grad()
def compare(model: CiCo, session: Any, size: Size) -> dict[str, float]:
    """Return the differences of the outputs, and of ``priors``, of a file and a model at a size."""
    frames = example(model, size)
    wanted = network_values(model, frames)
    found = run_session(session, frames)
    found['priors'] = map_priors(model, size, frames)
    return {name: difference(value, wanted[name]) for name, value in found.items()}


def check_report(report: dict[Size, dict[str, float]], path: str) -> None:
    """Check that no difference exceeds the tolerance.

    Raises:
        ValueError: If one does; the message names all that do.
    """
    wrong: list[str] = [
        f'{name} at {size[0]} x {size[1]}: {value:.2g}'
        for size, values in report.items()
        for name, value in values.items()
        if not value <= TOLERANCE
    ]
    if wrong:
        raise ValueError(
            f'"{path}" was not written: ONNX Runtime differs from PyTorch by more than '
            f'{TOLERANCE:g} in {"; ".join(wrong)}. The backbone or the neck of the config does not '
            'export for all sizes; use another one'
        )
