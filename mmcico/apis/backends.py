"""What runs the network of an inferencer."""

from typing import Any

from mmcico.compat.embedded_config import checked_config

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from mmcico.deployment.options import compile_model
from mmcico.deployment.precision import precision_name, set_precision
from mmcico.models.vis.cico import CiCo

from .model_loading import config_in

BACKENDS = ('pytorch', 'onnx')


def backend_of(weights: str | None, backend: str | None) -> str:
    """The backend that is wanted, or that the ending of the file tells.

    Args:
        weights (str, optional): Path or URL.
        backend (str, optional): As the user has it.

    Raises:
        ValueError: If PyTorch is to run an ONNX file.
    """
    is_onnx = str(weights).lower().endswith('.onnx')
    if backend == 'pytorch' and is_onnx:
        raise ValueError(
            f'"{weights}" is an ONNX file, which PyTorch does '
            "not run; leave out backend, or give 'onnx'"
        )
    return backend or ('onnx' if is_onnx else 'pytorch')


def check_backend(backend: str, precision: str, compiled: bool) -> None:
    """Refuse settings that do not exist, or do not work together.

    Raises:
        ValueError: If there are any.
    """
    if backend not in BACKENDS:
        raise ValueError(f'backend={backend!r} is none of {BACKENDS}')
    name = precision_name(precision)
    if backend == 'onnx' and (compiled or name not in ('auto', 'fp32')):
        raise ValueError('an ONNX file runs as it was exported; leave out precision and compiled')


def config_of(weights: str, backend: str) -> Config:
    """The config that a checkpoint or an ONNX file holds.

    Args:
        weights (str): Path or URL.
        backend (str): ``'pytorch'`` or ``'onnx'``.

    Raises:
        ValueError: If it holds none.
    """
    if backend == 'pytorch':
        return config_in(weights)
    from mmcico.deployment import OnnxInfo
    from mmcico.deployment.onnx_files import open_session

    props = open_session(weights).get_modelmeta().custom_metadata_map
    info = OnnxInfo.from_props(props, weights)
    if info.cfg is None:
        raise ValueError(f'"{weights}" holds no config; give model=CONFIG')
    return checked_config(info.cfg, weights)


def load_onnx(cfg: ConfigDict, weights: str, device: str | None) -> Any:
    """A model whose network is an ONNX file."""
    from mmcico.deployment import load_onnx_model

    return load_onnx_model(cfg, weights, device)


def tune(model: CiCo, precision: str, compiled: bool) -> CiCo:
    """Let a model test at a precision, and compile it if wanted.

    Args:
        model (CiCo): The model, in eval mode.
        precision (str): See :func:`set_precision`.
        compiled (bool): Whether to use ``torch.compile``.

    Returns:
        CiCo: The model.
    """
    model = set_precision(model, precision)
    if not compiled:
        return model
    print_log(
        'the first clips wait for torch.compile, as those of each new input size; on a CPU this '
        'takes minutes',
        logger='current',
    )
    return compile_model(model)
