"""Builders of the models that benchmarks measure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from torch import nn

from mmcico.apis import CiCoInferencer
from mmcico.deployment.precision import best_precision
from mmcico.models import CiCo
from mmcico.models.heads import proto_layers
from mmcico.models.layers.clip_tower import ClipConv3d
from mmcico.models.vis.clip_network import ClipInput, ClipNetwork, NetworkResult
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.registry import MODELS
from mmcico.utils.launch import read_config

from .candidates import ForcedCandidates, settle
from .runs import input_scale, ready_clips
from .videos import SpeedVideo


def resolved(precision: str, device: str) -> str:
    """Return the precision that ``'auto'`` stands for on a device."""
    return best_precision(device)[0] if precision == 'auto' else precision


def build(
    config: str | Config,
    checkpoint: str | None,
    device: str = 'cpu',
    precision: str = 'fp32',
    compiled: bool = False,
    options: dict[str, Any] | None = None,
) -> CiCoInferencer:
    """Build an inferencer.

    Args:
        config (str | Config): Config or its name.
        checkpoint (str, optional): File of weights. Default: random weights.
        device (str): Device of the model.
        precision (str): ``'auto'``, ``'fp32'``, ``'bf16'`` or ``'fp16'``.
        compiled (bool): Whether to use ``torch.compile``.
        options (dict, optional): Settings of the config to override.
    """
    cfg = read_config(config, options) if isinstance(config, str) else config
    torch.manual_seed(0)
    return CiCoInferencer(
        cfg,
        checkpoint,
        device,
        allow_partial=checkpoint is None,
        show_progress=False,
        precision=precision,
        compiled=compiled,
    )


def write_untrained(
    config: str, video: SpeedVideo, folder: str, options: dict[str, Any] | None = None
) -> str:
    """Write random weights that :func:`settle` has adapted; return their path."""
    inferencer = build(config, None, options=options)
    model = plain_model(inferencer)
    settle(model, ready_clips(inferencer, video)[0].inputs)
    path = str(Path(folder) / 'untrained.pth')
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def plain_model(inferencer: CiCoInferencer, weights: str | None = None) -> CiCo:
    """Return the model of the inferencer's config, without preparation for speed."""
    torch.manual_seed(0)
    model = MODELS.build(inferencer.cfg.model)
    if weights is not None:
        load_checkpoint(model, weights, map_location='cpu')
    return model.to(next(inferencer.model.parameters()).device).eval()


def forced(inferencer: CiCoInferencer, video: SpeedVideo, number: int) -> ForcedCandidates:
    """Return an object that forces candidates of a video on the model of an inferencer."""
    scale = input_scale(inferencer, video)
    return ForcedCandidates(inferencer.model, video, scale, number)


@contextmanager
def plain_layers() -> Iterator[None]:
    """Let all models use PyTorch's own 3D convolutions and store all activations within a block."""
    with (
        mock.patch.object(ClipConv3d, 'forward', nn.Conv3d.forward),
        mock.patch.object(proto_layers, 'RECOMPUTED_NORMS', ()),
    ):
        yield


class DenseNetwork(ClipNetwork):
    """Runs the whole network on all frames of each clip, with PyTorch's own 3D convolutions.

    A plain implementation of the method does the same. The results do not change.

    Args:
        model (CiCo, optional): Model whose layers run, see :func:`plain_model`. Default: the model
            that is tested.
    """

    def __init__(self, model: CiCo | None = None) -> None:
        self.model = model

    def __call__(self, model: Any, known: KnownFrames, clip: ClipInput) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        with plain_layers():
            outputs, protos = (self.model or model)(clip.inputs[None], mode='tensor')
        known = KnownFrames(input_shape=tuple(clip.inputs.shape[-2:]))
        return NetworkResult(outputs.of_clip(0), protos[0], known)
