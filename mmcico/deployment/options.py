"""Faster or smaller runs of a model's own layers, on request."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.clip_network import ClipNetwork, NetworkResult
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.structures.clip_outputs import ClipOutputs

#: precisions that autocast knows on all devices
DTYPES = (torch.bfloat16, torch.float16)


def check_layers(model: CiCo) -> None:
    """Refuse models that run a file.

    Raises:
        ValueError: If the model has no layers of its own.
    """
    if not any(True for _ in model.backbone.parameters()):
        raise ValueError(
            'the model runs an ONNX file, which is neither compiled nor cast '
            'by PyTorch; build it from its config and checkpoint'
        )


def compile_model(model: CiCo, **options: Any) -> CiCo:
    """Compile what every clip runs at the same sizes, in place.

    These are backbone, neck, and the tower and last layers of the mask head.
    The prediction heads run on windows of changing size and stay as they
    are. Compilation happens at the first clips, and for each further input
    size.

    Args:
        model (CiCo): In eval mode. Names of its weights do not change.
        options: Arguments of ``torch.compile``: ``backend``, ``mode``,
            ``dynamic``.

    Returns:
        CiCo: The model.

    Raises:
        ValueError: If the model runs an ONNX file, or PyTorch has no such
            backend.
    """
    check_layers(model)
    backend = options.get('backend', 'inductor')
    known = torch.compiler.list_backends(exclude_tags=())
    if isinstance(backend, str) and backend not in known:
        raise ValueError(f'torch.compile has no backend "{backend}" here, but {", ".join(known)}')
    for part in (model.backbone, model.neck, model.mask_head.tower, model.mask_head.reduce):
        part.compile(**options)
    return model


class AutocastNetwork(ClipNetwork):
    """Runs another network at low precision; results are float32.

    Args:
        network (ClipNetwork): The network.
        dtype (torch.dtype): Precision of its convolutions and products.
    """

    def __init__(self, network: ClipNetwork, dtype: torch.dtype) -> None:
        self.network = network
        self.dtype = dtype

    def __call__(
        self,
        model: CiCo,
        known: KnownFrames,
        inputs: Tensor,
        frame_ids: Sequence[int],
        num_final: int,
    ) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        with torch.autocast(inputs.device.type, dtype=self.dtype):
            found = self.network(model, known, inputs, frame_ids, num_final)
        outputs = ClipOutputs(
            *(None if value is None else value.float() for value in found.outputs)
        )
        return found._replace(outputs=outputs, protos=found.protos.float())


def autocast_model(model: CiCo, dtype: torch.dtype) -> CiCo:
    """Run the network of a model at low precision, in place.

    Weights stay float32. Selection, masks and linking are float32 as before.

    Args:
        model (CiCo): In eval mode.
        dtype (torch.dtype): ``torch.bfloat16`` or ``torch.float16``.

    Returns:
        CiCo: The model.

    Raises:
        ValueError: If the model runs an ONNX file, or for another precision.
    """
    check_layers(model)
    if dtype not in DTYPES:
        raise ValueError(f'autocast is for {" and ".join(map(str, DTYPES))}, not for {dtype}')
    network = model.network
    if isinstance(network, AutocastNetwork):
        network = network.network
    model.network = AutocastNetwork(network, dtype)
    return model
