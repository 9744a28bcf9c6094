"""From clip prototypes and mask parameters to masks: two small networks."""

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmcico.registry import MODELS


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
            boxes (Tensor): (N, 4) circumscribed boxes, not needed here.

        Returns:
            Tensor: (N, T, h, w) logits.
        """
        return torch.einsum('nk,kthw->nthw', params, protos)


@MODELS.register_module()
class OffsetPlanes(BaseModule):
    """Relative coordinates to the centre of the circumscribed box (eq. 6).

    Offsets are in units of half the box, so that its edges lie at -1 and 1.
    """

    num_planes = 2

    def forward(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Coordinate planes of each instance.

        Args:
            boxes (Tensor): (N, 4) xyxy in map pixels.
            size (tuple[int, int]): Height and width of the map.

        Returns:
            Tensor: (N, 2, h, w): x and y offsets of pixel centres.
        """
        height, width = size
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
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
    """One plane that is high at the middle of the circumscribed box.

    This is what the published CiCo-CondInst models use instead of offsets:
    a Gaussian around the rounded centre whose standard deviations are 1.5
    times the box, at least one pixel, on integer pixel coordinates.
    """

    num_planes = 1

    def forward(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Location plane of each instance.

        Args:
            boxes (Tensor): (N, 4) xyxy in map pixels.
            size (tuple[int, int]): Height and width of the map.

        Returns:
            Tensor: (N, 1, h, w) in [0, 1].
        """
        height, width = size
        centre = ((boxes[:, :2] + boxes[:, 2:]) / 2).round()
        sigma = (1.5 * (boxes[:, 2:] - boxes[:, :2])).clamp(min=1)
        xs = torch.arange(width, device=boxes.device)
        ys = torch.arange(height, device=boxes.device)
        dx = (xs[None] - centre[:, :1]) ** 2 / sigma[:, :1] ** 2
        dy = (ys[None] - centre[:, 1:]) ** 2 / sigma[:, 1:] ** 2
        return torch.exp(-(dx[:, None, :] + dy[:, :, None]) / 2)[:, None]


@MODELS.register_module()
class DynamicMask(BaseModule):
    """Three dynamic 1x1x1 layers, CiCo-CondInst (eq. 6).

    The parameters of an instance are its weights and then its biases, layer
    by layer, weights output-major: w1, w2, w3, b1, b2, b3. Coordinate planes
    come before the prototypes in the input of the first layer.

    Args:
        num_protos (int): k, channels of the prototypes.
        channels (int): Channels of the two hidden layers.
        coordinates (dict): :class:`OffsetPlanes` (paper, k' = 169) or
            :class:`GaussianPlane` (published models, k' = 161).
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
        widths = [self.coordinates.num_planes + num_protos]
        widths += [channels, channels, 1]
        self.shapes = list(zip(widths[1:], widths[:-1]))
        self.num_params = sum(out * (inp + 1) for out, inp in self.shapes)

    def split_params(self, params: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Cut parameters into layers.

        Args:
            params (Tensor): (N, k').

        Returns:
            list[tuple[Tensor, Tensor]]: Weights (N, out, in) and biases
            (N, out) of each layer.
        """
        sizes = [out * inp for out, inp in self.shapes]
        sizes += [out for out, _ in self.shapes]
        parts = params.split(sizes, dim=1)
        half = len(self.shapes)
        return [
            (w.unflatten(1, shape), b)
            for w, b, shape in zip(parts[:half], parts[half:], self.shapes)
        ]

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
        # the first layer is linear: coordinates, the same in all frames, and
        # prototypes, the same for all instances, are multiplied apart
        x = torch.einsum('noi,nihw->nohw', weight[..., :num], planes)
        x = x[:, :, None] + torch.einsum('noi,ithw->nothw', weight[..., num:], protos)
        x = x + bias[:, :, None, None, None]
        for weight, bias in layers[1:]:
            x = torch.einsum('noi,nithw->nothw', weight, x.relu())
            x = x + bias[:, :, None, None, None]
        return x[:, 0]
