"""Model, data and metric of tiny_config.py."""

import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.structures import InstanceData


@MODELS.register_module()
class TinyModel(BaseModel):
    """Learns y = 2 x; at test time each number is a clip of one frame."""

    def __init__(self, fail=''):
        super().__init__()
        self.line = torch.nn.Linear(1, 1)
        self.fail = fail

    def forward(self, inputs, targets, mode='loss'):
        if self.fail == 'user':
            raise ValueError('video 3, frame 7: the mask is too small')
        if self.fail == 'bug':
            raise TypeError('a mistake of ours')
        if mode == 'loss':
            return dict(loss=(self.line(inputs) - targets).square().mean())
        frame = DetDataSample(metainfo=dict(video_id=1, frame_id=0))
        frame.pred_track_instances = InstanceData(
            instances_id=torch.tensor([4]),
            scores=torch.tensor([0.5]),
            masks=torch.ones(1, 2, 3, dtype=torch.bool),
        )
        clip = TrackDataSample()
        clip.video_data_samples = [frame]
        return [clip]


@DATASETS.register_module()
class TinyDataset(torch.utils.data.Dataset):
    def __init__(self, length):
        self.length = length
        self.metainfo = dict(classes=('a',))

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        x = torch.tensor([index / self.length])
        return dict(inputs=x, targets=2 * x)


@METRICS.register_module()
class TinyMetric(BaseMetric):
    """Counts clips over all processes."""

    def process(self, data_batch, data_samples):
        self.results.extend([1] * len(data_samples))

    def compute_metrics(self, results):
        return dict(clips=float(sum(results)))
