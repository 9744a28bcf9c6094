"""Layers of the mask head: mask generators, and enlargement of mask features."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.registry import MODELS
from mmcico.structures.clip_boxes import box_centres

from .clip_tower import clip_to_frames, frames_to_clip


@MODELS.register_module()
class LinearMask(BaseModule):
    """Linear combination of prototypes, CiCo-Yolact (eq. 5).

    Args:
        num_protos (int): k, equal to the number of parameters k'.
    """

    def __init__(self, num_protos: int = 32) -> None:
        super().__init__()
        self.num_protos = num_protos
        self.num_params = num_protos

    def forward(self, protos: Tensor, params: Tensor, boxes: Tensor) -> Tensor:
        """Draw instances.

        Args:
            protos (Tensor): (k, T, h, w) prototypes of one clip.
            params (Tensor): (N, k) mask parameters.
            boxes (Tensor): (N, 4) circumscribed boxes; not used.

        Returns:
            Tensor: (N, T, h, w) logits.
        """
        return torch.einsum('nk,kthw->nthw', params, protos)


@MODELS.register_module()
class OffsetPlanes(BaseModule):
    """Coordinates relative to the centre of the circumscribed box (eq. 6).

    Offsets are in units of half the box, so that its edges lie at -1 and 1.
    """

    num_planes = 2

    def forward(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the coordinate planes of each instance.

        Args:
            boxes (Tensor): (N, 4) xyxy in map pixels.
            size (tuple[int, int]): Height and width of the map.

        Returns:
            Tensor: (N, 2, h, w): x and y offsets of pixel centres.
        """
        height, width = size
        centre = box_centres(boxes)
        half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=1)
        xs = torch.arange(width, device=boxes.device) + 0.5
        ys = torch.arange(height, device=boxes.device) + 0.5
        dx = (xs[None] - centre[:, :1]) / half[:, :1]
        dy = (ys[None] - centre[:, 1:]) / half[:, 1:]
        return torch.stack(
            [dx[:, None, :].expand(-1, height, -1), dy[:, :, None].expand(-1, -1, width)], 1
        )


@MODELS.register_module()
class GaussianPlane(BaseModule):
    """Gaussian about the centre of the circumscribed box.

    The published CiCo-CondInst models use it instead of offsets. The centre is rounded, standard
    deviations are 1.5 times the sides of the box, at least one pixel, and pixel coordinates are
    integers.
    """

    num_planes = 1

    def forward(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the location plane of each instance.

        Args:
            boxes (Tensor): (N, 4) xyxy in map pixels.
            size (tuple[int, int]): Height and width of the map.

        Returns:
            Tensor: (N, 1, h, w) in [0, 1].
        """
        height, width = size
        centre = box_centres(boxes).round()
        sigma = (1.5 * (boxes[:, 2:] - boxes[:, :2])).clamp(min=1)
        xs = torch.arange(width, device=boxes.device)
        ys = torch.arange(height, device=boxes.device)
        dx = (xs[None] - centre[:, :1]) ** 2 / sigma[:, :1] ** 2
        dy = (ys[None] - centre[:, 1:]) ** 2 / sigma[:, 1:] ** 2
        return torch.exp(-(dx[:, None, :] + dy[:, :, None]) / 2)[:, None]


@MODELS.register_module()
class DynamicMask(BaseModule):
    """Three dynamic 1x1x1 layers, CiCo-CondInst (eq. 6).

    The parameters of an instance are the weights and then the biases of all layers, weights
    output-major: w1, w2, w3, b1, b2, b3. Coordinate planes come before the prototypes in the input
    of the first layer.

    Args:
        num_protos (int): k, channels of the prototypes.
        channels (int): Channels of the two hidden layers.
        coordinates (dict): :class:`OffsetPlanes` (paper, k' = 169) or :class:`GaussianPlane`
            (published models, k' = 161).
    """

    def __init__(
        self,
        num_protos: int = 8,
        channels: int = 8,
        coordinates: dict = dict(type='mmcico.OffsetPlanes'),
    ) -> None:
        super().__init__()
        self.num_protos = num_protos
        self.coordinates = MODELS.build(coordinates)
        widths = [self.coordinates.num_planes + num_protos, channels, channels, 1]
        self.shapes = list(zip(widths[1:], widths[:-1]))
        self.num_params = sum(out * (inp + 1) for out, inp in self.shapes)

    def split_params(self, params: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Split parameters (N, k') into weights (N, out, in) and biases (N, out) of each layer."""
        sizes = [out * inp for out, inp in self.shapes] + [out for out, _ in self.shapes]
        parts = params.split(sizes, dim=1)
        weights = [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes)]
        return list(zip(weights, parts[len(weights) :]))

    def forward(self, protos: Tensor, params: Tensor, boxes: Tensor) -> Tensor:
        """Draw instances.

        Args:
            protos (Tensor): (k, T, h, w) prototypes of one clip.
            params (Tensor): (N, k') mask parameters.
            boxes (Tensor): (N, 4) circumscribed boxes in map pixels.

        Returns:
            Tensor: (N, T, h, w) logits.
        """
        layers = self.split_params(params)
        planes = self.coordinates(boxes, protos.shape[-2:]).to(protos)
        num = planes.shape[1]
        weight, bias = layers[0]
        # the first layer is linear: coordinates, equal in all frames, and prototypes, equal for all
        # instances, are multiplied separately
        x = torch.einsum('noi,nihw->nohw', weight[..., :num], planes)
        x = x[:, :, None] + torch.einsum('noi,ithw->nothw', weight[..., num:], protos)
        x = x + bias[:, :, None, None, None]
        for weight, bias in layers[1:]:
            x = torch.einsum('noi,nithw->nothw', weight, x.relu())
            x = x + bias[:, :, None, None, None]
        return x[:, 0]


def aligned_bilinear(x: Tensor, factor: int) -> Tensor:
    """Enlarge maps (N, C, h, w) by a whole factor: pixel ``i`` lands on pixel ``i * factor``.

    The map is extended by one pixel, interpolated with aligned corners, shifted by half a factor
    and cropped.
    """
    if factor == 1:
        return x
    height, width = x.shape[-2:]
    x = F.pad(x, (0, 1, 0, 1), mode='replicate')
    x = F.interpolate(
        x, size=(factor * height + 1, factor * width + 1), mode='bilinear', align_corners=True
    )
    x = F.pad(x, (factor // 2, 0, factor // 2, 0), mode='replicate')
    return x[..., : factor * height, : factor * width]


@MODELS.register_module()
class DeconvUpsample(BaseModule):
    """Bilinear fusion, then a deconvolution: the paper's mask head.

    Args:
        channels (int): Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 2, stride=2)

    def fuse(self, x: Tensor, like: Tensor) -> Tensor:
        """Enlarge maps (N, C, h, w) to the size of ``like`` (N, C, H, W)."""
        return F.interpolate(x, size=like.shape[-2:], mode='bilinear', align_corners=False)

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Enlarge frames of clips, (B * T, C, h, w) -> (B * T, C, 2h, 2w)."""
        return self.deconv(x).relu()

    def part(
        self, x: Tensor, num_frames: int, outer: tuple[int, ...], size: Sequence[int]
    ) -> Tensor:
        """Enlarge the window ``outer`` of frames as the whole map of ``size`` would be."""
        return self(x, num_frames)


@MODELS.register_module()
class BilinearUpsample(BaseModule):
    """Interpolation without parameters: the published models' mask head.

    Args:
        channels (int): Not used; accepted like that of :class:`DeconvUpsample`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()

    def fuse(self, x: Tensor, like: Tensor) -> Tensor:
        """Enlarge maps (N, C, h, w) to the size of ``like`` (N, C, H, W).

        The sizes of levels of a padded input halve exactly; the factor is a whole number.
        """
        return aligned_bilinear(x, like.shape[-1] // x.shape[-1])

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Enlarge frames of clips, (B * T, C, h, w) -> (B * T, C, 2h, 2w)."""
        clip = frames_to_clip(x, num_frames)
        return clip_to_frames(
            F.interpolate(clip, scale_factor=(1, 2, 2), mode='trilinear', align_corners=True)
        )

    def part(
        self, x: Tensor, num_frames: int, outer: tuple[int, ...], size: Sequence[int]
    ) -> Tensor:
        """Enlarge the window ``outer`` of frames as the whole map of ``size`` would be."""
        for dim, start, end, length in ((-2, *outer[:2], size[0]), (-1, *outer[2:], size[1])):
            place = torch.arange(2 * start, 2 * end, device=x.device)
            place = place * ((length - 1) / (2 * length - 1)) - start
            low = place.floor().clamp(0, end - start - 1)
            high = (low + 1).clamp(max=end - start - 1)
            share = (place - low).to(x).unflatten(0, (-1, 1) if dim == -2 else (1, -1))
            first, second = (x.index_select(dim, each.long()) for each in (low, high))
            x = first + (second - first) * share
        return x
