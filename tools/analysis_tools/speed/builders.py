"""Models that benchmarks measure, and candidates for those that were not trained."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcico.apis import CiCoInferencer
from mmcico.deployment.onnx_files import level_sizes
from mmcico.deployment.precision import best_precision
from mmcico.models import CiCo
from mmcico.models.heads import proto_layers
from mmcico.models.layers.clip_tower import ClipConv3d
from mmcico.models.vis.clip_network import ClipInput, ClipNetwork, NetworkResult
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.registry import MODELS
from mmcico.structures.clip_boxes import box_area, box_iou
from mmcico.utils.launch import read_config

from .runs import input_scale, ready_clips
from .videos import SpeedVideo

#: class score of the best candidate
BEST = 0.95


def settle(model: CiCo, clip: Tensor) -> None:
    """Adapt random weights in place, so that the network does the work of a trained one.

    Batch norms get the statistics of a clip, so that activations neither vanish nor overflow. Boxes
    become the anchors, and masks nearly fill their crop regions, which gives as many windows and
    duplicates as a trained network has.

    Args:
        model (CiCo): In eval mode.
        clip (Tensor): (T, 3, H, W) normalised frames.
    """
    norms = [each for each in model.modules() if isinstance(each, _BatchNorm)]
    for each in norms:
        each.train()
        each.momentum = 1.0
    with torch.no_grad():
        model(clip[None], mode='tensor')
        nn.init.zeros_(model.bbox_head.bbox_layer.weight)
        nn.init.zeros_(model.bbox_head.bbox_layer.bias)
        nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    model.eval()


class ForcedCandidates:
    """Chooses the anchors nearest to the objects of a clip as candidates.

    In each query frame, the anchors of every visible object are ordered by their IoU with its box.
    The first anchors of all objects and query frames are chosen, then the second ones, and so on,
    up to the given number.

    Args:
        model (CiCo): Model whose head has the anchors and query frames.
        video (SpeedVideo): Video whose objects are known.
        scale (tuple[float, float]): Height and width of the input without its padding, divided by
            those of the video.
        number (int): Number of candidates of a clip; a clip without objects has none.

    Raises:
        ValueError: If the objects of the video are not known.
    """

    def __init__(
        self, model: CiCo, video: SpeedVideo, scale: tuple[float, float], number: int
    ) -> None:
        if video.boxes is None or video.labels is None:
            raise ValueError(
                f'{video.source}: the objects of this video are not known; give --ann FILE with '
                'their annotations, or a checkpoint, which finds candidates itself'
            )
        self.model = model
        self.number = number
        factor = torch.tensor([scale[1], scale[0]] * 2)
        self.boxes = torch.from_numpy(video.boxes).float() * factor
        self.labels = torch.from_numpy(video.labels) % model.bbox_head.num_classes
        self.frame_ids: tuple[int, ...] = ()
        self.input_shape: tuple[int, ...] = ()
        self.known: dict[Any, tuple[Tensor, ...]] = {}

    def chosen(self, sizes: Sequence[tuple[int, int]], device: torch.device) -> tuple[Tensor, ...]:
        """Return query (N,), anchor (N,) and class (N,) of the candidates of the current clip.

        Args:
            sizes (Sequence[tuple]): Height and width of each level.
            device (torch.device): Device of the result.
        """
        key = self.frame_ids, tuple(sizes), device
        if key not in self.known:
            self.known[key] = tuple(each.to(device) for each in self._choose(sizes))
        return self.known[key]

    def _choose(self, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        head = self.model.bbox_head
        priors = torch.cat(head.anchor_generator.grid_priors(list(sizes), device='cpu'))
        boxes = self.boxes[[self.frame_ids[t] for t in head.query_frames]]
        query, gt = (box_area(boxes) > 0).nonzero(as_tuple=True)
        iou = box_iou(boxes[query, gt][:, None], priors[None])
        ranks = iou.topk(min(self.number, len(priors)), dim=1).indices.T  # best ones first
        found: dict[tuple[int, int], int] = {}
        for anchors in ranks.tolist():
            for q, g, anchor in zip(query.tolist(), gt.tolist(), anchors):
                if len(found) < self.number:
                    found.setdefault((q, anchor), int(self.labels[g]))
        pairs = torch.tensor(list(found), dtype=torch.long).view(-1, 2)
        return pairs[:, 0], pairs[:, 1], torch.tensor(list(found.values()), dtype=torch.long)

    def scores(self, like: Tensor, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """Return class scores (..., Q, P, K) that are 0 except for the candidates."""
        query, anchor, label = self.chosen(sizes, like.device)
        forced = torch.zeros_like(like)
        ranks = torch.arange(len(query), device=like.device, dtype=like.dtype)
        forced[..., query, anchor, label] = BEST - 0.3 * ranks / max(len(query), 1)
        return forced

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the model find the candidates within a block; its layers run as before."""
        model, head = self.model, self.model.bbox_head
        network, class_scores = model.network, head.class_scores
        model.network = ToldNetwork(network, self.tell)
        head.class_scores = lambda logits: self.scores(
            class_scores(logits), level_sizes(model, self.input_shape)
        )
        try:
            yield
        finally:
            model.network = network
            del head.class_scores

    def tell(self, clip: ClipInput) -> None:
        """Take a clip as the current one."""
        self.frame_ids = tuple(clip.frame_ids)
        self.input_shape = tuple(clip.inputs.shape[-2:])


class ToldNetwork(ClipNetwork):
    """Another network that tells which clip comes next.

    Args:
        network (ClipNetwork): The other network.
        tell (Callable): Function of a :class:`ClipInput`. It is called before the network computes
            the clip, or, if that computes several clips as one batch, before the model selects
            the instances of the clip.
    """

    def __init__(self, network: ClipNetwork, tell: Callable[[ClipInput], None]) -> None:
        self.network = network
        self.tell = tell

    def __call__(self, model: Any, known: KnownFrames, clip: ClipInput) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        self.tell(clip)
        return self.network(model, known, clip)

    def run(
        self, model: Any, known: KnownFrames, clips: Sequence[ClipInput]
    ) -> Iterator[NetworkResult]:
        """Yield the results of consecutive clips of a video."""
        results = self.network.run(model, known, clips)
        for clip in clips:
            self.tell(clip)
            yield next(results)


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
