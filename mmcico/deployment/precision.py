"""Networks prepared for testing: low precision, folded norms, fast layouts and products."""

import copy
import warnings
from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mmcico.models.layers.fast_layers import fuse_attention, use_winograd
from mmcico.models.layers.frozen_norms import norms_to_fold, split_norms
from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.clip_network import ClipInput, ClipModel, LazyNetwork, NetworkResult
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.structures.clip_outputs import ClipOutputs
from mmcico.utils.numerics import whole_products

#: precisions of convolutions and products by name
PRECISIONS = dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16)
#: former names, accepted for one version
OLD_NAMES = dict(float32='fp32', bfloat16='bf16', float16='fp16')
#: parts of a model that are replaced by copies
NETWORK_PARTS = ('backbone', 'neck', 'bbox_head', 'mask_head')
#: layers whose weights are kept at low precision
LOW_LAYERS = (nn.Linear, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)


def precision_name(name: str) -> str:
    """Return the present name of a precision, ``'auto'`` included.

    Raises:
        ValueError: If there is no such precision.
    """
    if name in OLD_NAMES:
        warnings.warn(
            f'precision={name!r} is now called {OLD_NAMES[name]!r}; the old name will be refused '
            'in the next version',
            DeprecationWarning,
            stacklevel=3,
        )
        return OLD_NAMES[name]
    if name != 'auto' and name not in PRECISIONS:
        raise ValueError(f'precision={name!r} is none of {("auto", *PRECISIONS)}')
    return name


def best_precision(device: torch.device | str) -> tuple[str, str]:
    """Return the precision that ``'auto'`` stands for on a device, and the reason.

    It is ``'bf16'`` on CPUs with AVX512_BF16 or AMX and on GPUs of compute capability 8.0 or
    higher, and ``'fp32'`` elsewhere.
    """
    device = torch.device(device)
    if device.type == 'cuda':
        major, minor = torch.cuda.get_device_capability(device)
        fast = major >= 8 and torch.cuda.is_bf16_supported()
        return 'bf16' if fast else 'fp32', f'the GPU has compute capability {major}.{minor}'
    if device.type == 'cpu':
        # PyTorch before 2.11 has no public function that tells
        checks = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
        fast = any(getattr(torch.cpu, each, bool)() for each in checks)
        return 'bf16' if fast else 'fp32', f'the CPU has {"" if fast else "no "}AVX512_BF16 or AMX'
    return 'fp32', f'nothing is known of bf16 on {device.type}'


def check_layers(model: CiCo) -> None:
    """Check that a model has layers of its own.

    Raises:
        ValueError: If the model runs an ONNX file.
    """
    if not any(True for _ in model.backbone.parameters()):
        raise ValueError(
            'the model runs an ONNX file, which is neither compiled nor cast by PyTorch; build it '
            'from its config and checkpoint'
        )


def set_precision(model: CiCo, precision: str) -> CiCo:
    """Prepare the network of a model for fast tests, in place.

    Backbone, neck and heads are replaced by copies with the given precision, batch norms folded
    into convolutions, and the layout ``channels_last``. They cannot be trained and have other
    names of weights. Attention of Swin Transformers is computed by a fused kernel and, on CPUs in
    float32, 3x3 convolutions by fewer multiplications (:func:`use_winograd`). Selection, masks and
    linking are float32. On CUDA devices, cuDNN chooses its algorithms by trial, unless
    ``torch.backends.cudnn.deterministic`` is set.

    Args:
        model (CiCo): In eval mode, with its weights and on its device.
        precision (str): ``'fp32'``, ``'bf16'``, ``'fp16'`` or ``'auto'``, see
            :func:`best_precision`.

    Returns:
        CiCo: The model.

    Raises:
        ValueError: If there is no such precision, the model is in training mode, runs an ONNX file,
            or has another low precision already.
    """
    name = precision_name(precision)
    if model.training:
        raise ValueError('the model is in training mode; call model.eval() first')
    check_layers(model)
    like = next(model.backbone.parameters())
    if name == 'auto':
        name, reason = best_precision(like.device)
        print_log(f'precision "auto" is "{name}", since {reason}', logger='current')
    dtype = PRECISIONS[name]
    known = getattr(model.network, 'dtype', torch.float32)
    if known not in (torch.float32, dtype):
        raise ValueError(f'the weights of the model are {known} already; build it again')
    fold_norms(model)
    fuse_attention(model.backbone)
    for part in NETWORK_PARTS:
        for layer in getattr(model, part).requires_grad_(False).modules():
            if isinstance(layer, LOW_LAYERS):
                channels_last(layer.to(dtype).weight)
        if name == 'fp32' and like.device.type == 'cpu':
            use_winograd(getattr(model, part))
    if like.device.type == 'cuda':  # sizes of maps do not change within a video
        torch.backends.cudnn.benchmark = not torch.backends.cudnn.deterministic
    model.network = FastNetwork(dtype)
    return model


class FastNetwork(LazyNetwork):
    """Runs a network that :func:`set_precision` has prepared.

    Args:
        dtype (torch.dtype): Precision of convolutions and products. Norms are float32, and so are
            the predictions and prototypes that are returned.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def together(
        self, model: ClipModel, known: KnownFrames, clips: Sequence[ClipInput]
    ) -> list[NetworkResult]:
        """Return the results of consecutive clips; see :class:`LazyNetwork`."""
        channels_last = [
            clip._replace(inputs=clip.inputs.contiguous(memory_format=torch.channels_last))
            for clip in clips
        ]
        low = self.dtype != torch.float32
        kind = clips[0].inputs.device.type
        with torch.autocast(kind, dtype=self.dtype if low else None, enabled=low):
            results = super().together(model, known, channels_last)
        return [in_float32(each) for each in results]


def in_float32(result: NetworkResult) -> NetworkResult:
    """Return the predictions and prototypes of a clip in single precision."""
    values = {k: v.float() for k, v in result.outputs._asdict().items() if v is not None}
    return result._replace(outputs=ClipOutputs(**values), protos=result.protos.float())


def channels_last(weight: Tensor) -> None:
    """Order the weights of a layer with their channels last, in place."""
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    layout = layouts.get(weight.dim(), torch.contiguous_format)
    weight.data = weight.data.contiguous(memory_format=layout)


def fold_norms(model: CiCo) -> None:
    """Replace the parts of a network by copies with batch norms within convolutions.

    The order of registration may not be that of the computation, so that both are compared on
    noise. The norms of the copies stay if they differ.
    """
    parts = {name: getattr(model, name) for name in NETWORK_PARTS}
    norms = [found for part in copied(model, parts) for found in norms_to_fold(part)]
    if not norms:
        return
    wanted = values_of_noise(model)
    for owner, conv, norm in norms:
        setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
        setattr(owner, norm, nn.Identity())
    for found, value in zip(values_of_noise(model), wanted):
        if not (found - value).abs().max() <= 1e-4 * value.abs().max().clamp(min=1):
            copied(model, parts)


def copied(model: CiCo, parts: dict[str, nn.Module]) -> list[nn.Module]:
    """Give a model copies of the parts of its network, and return them."""
    for name, part in parts.items():
        setattr(model, name, copy.deepcopy(part))
        split_norms(getattr(model, name))
    return [getattr(model, name) for name in parts]


@torch.no_grad()
@whole_products()
def values_of_noise(model: CiCo) -> list[Tensor]:
    """Return everything that the network of a model computes from a small clip of noise."""
    noise = torch.randn(1, model.num_frames, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    outputs, protos = model(noise.to(next(model.backbone.parameters())), mode='tensor')
    return [*(each for each in outputs if each is not None), protos]
