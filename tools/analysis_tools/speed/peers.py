"""MMDetection's models of video instance segmentation on the same frames."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.structures import TrackDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mmcico.apis import open_source
from mmcico.apis.sources import array_pipeline, clip_info
from mmcico.datasets.clip_windows import clip_windows
from mmcico.formats.rle import encode_masks
from mmcico.registry import MODELS
from mmcico.utils.launch import read_config

from .measures import PeakMemory, seconds_of, spread
from .videos import SpeedVideo

#: configs of the models
PEERS = {
    'MaskTrack R-CNN': 'configs/peers/masktrack-rcnn_r50_fpn_8xb1-12e_youtubevis2019.py',
    'Mask2Former-VIS': 'configs/peers/mask2former-vis_r50_8xb2-6k_youtubevis2019.py',
}


def force_detections(model: nn.Module, number: int) -> None:
    """Make a detector without trained weights find some objects in each frame, in place.

    The first proposals get the first class with a high score; all others become background. Only
    MaskTrack R-CNN needs this, because Mask2Former-VIS always returns ten tracks.

    Args:
        model (nn.Module): The model.
        number (int): Number of proposals that become objects before NMS.
    """
    if not hasattr(model, 'detector'):
        return
    head = model.detector.roi_head.bbox_head
    forward = head.forward

    def with_objects(x: Tensor) -> tuple[Tensor, Tensor]:
        scores, boxes = forward(x)
        forced = torch.full_like(scores, -10.0)
        forced[:, -1] = 10.0
        forced[:number, 0] = 20.0
        return forced, boxes * 0

    head.forward = with_objects


class Peer:
    """A model of MMDetection with the test pipeline of its config.

    Args:
        config (str): Config of the model.
        video (SpeedVideo): The video.
        device (str): Device of the model.
        objects (int): Number of objects, see :func:`force_detections`.
        options (dict, optional): Settings of the config to override.
    """

    def __init__(
        self,
        config: str,
        video: SpeedVideo,
        device: str,
        objects: int,
        options: dict[str, Any] | None = None,
    ) -> None:
        cfg: Config = read_config(config, options)
        init_default_scope('mmdet')
        torch.manual_seed(0)
        self.model = MODELS.build(cfg.model).to(device).eval()
        force_detections(self.model, objects)
        self.device = torch.device(device)
        self.pipeline = array_pipeline(cfg)
        data = cfg.test_dataloader.dataset
        self.windows = clip_windows(
            len(video.frames), data.get('num_frames'), data.get('overlap', 0)
        )
        self.video = video

    def prepared(self, frames: dict[int, Any]) -> list[dict[str, Any]]:
        """Return the inputs of all samples, before the data preprocessor."""
        return [self.pipeline(clip_info('video', frames, each)) for each in self.windows]

    @torch.no_grad()
    def predict(self, data: dict[str, Any]) -> list[TrackDataSample]:
        """Return the results of a sample at the size of the video."""
        data = self.model.data_preprocessor(pseudo_collate([data]), False)
        return self.model(**data, mode='predict')

    def network(self, samples: Sequence[dict[str, Any]]) -> int:
        """Run prepared samples; return the number of instances of all frames."""
        found = [frame for each in samples for clip in self.predict(each) for frame in clip]
        return sum(len(frame.pred_track_instances) for frame in found)

    def end_to_end(self) -> None:
        """Read the files, run the model and encode the masks."""
        source = zip(open_source(self.video.source), self.video.frames)
        frames = {number: frame for number, (frame, _) in enumerate(source)}
        for window in self.windows:
            for result in self.predict(self.pipeline(clip_info('video', frames, window))):
                for frame in result:
                    masks = frame.pred_track_instances.masks
                    encode_masks(torch.as_tensor(masks).cpu().numpy().astype(bool))

    def measure(self, repeats: int) -> dict[str, Any]:
        """Measure the model as a CiCo model is measured."""
        samples = self.prepared(dict(enumerate(self.video.frames)))
        number = len(self.video.frames)
        counts: list[int] = []
        works: dict[str, Callable[[], Any]] = dict(
            network=lambda: counts.append(self.network(samples)), end_to_end=self.end_to_end
        )
        with PeakMemory(self.device) as peak:
            times = [
                {name: seconds_of(work, self.device) for name, work in works.items()}
                for _ in range(repeats + 1)
            ][1:]
        found = {name: spread([number / each[name] for each in times]) for name in works}
        return dict(found, memory=peak.mib, instances=counts[-1] / number)


def measure_peers(
    video: SpeedVideo,
    device: str,
    objects: int,
    repeats: int,
    options: dict[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Measure all peers; the result of a peer that lacks an operator has the key ``error``."""
    found: dict[str, dict[str, Any]] = {}
    for name, config in PEERS.items():
        try:
            found[name] = Peer(config, video, device, objects, options).measure(repeats)
        except (ImportError, NotImplementedError, RuntimeError) as error:
            found[name] = dict(error=' '.join(str(error).split())[:200])
    return found
