"""A model of a few numbers that sees every pixel and draws in every step."""

import random

import numpy as np
import torch
from mmdet.models.mot import BaseMOTModel
from mmdet.registry import MODELS


@MODELS.register_module()
class ClipLine(BaseMOTModel):
    """Fits a plane of weights to the mean of a clip; the loss depends on flips and on noise.

    Args:
        bad_step (int): The step, from 1, in which ``bad`` happens.
        bad (str): ``'loss'``: the loss is NaN; ``'gradient'``: the loss is finite, its gradient
            is not; ``'infinite'``: the loss is infinite and its gradient finite.
        bad_rank (int): The process in which it happens.
    """

    def __init__(self, bad_step=0, bad='loss', bad_rank=0, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.plane = torch.nn.Parameter(torch.zeros(32, 48))
        self.bad = bad
        self.bad_rank = bad_rank
        self.bad_step = bad_step
        self.step = 0

    def loss(self, inputs, data_samples, **kwargs):
        self.step += 1
        clips = inputs.float().mean(dim=(1, 2)) / 255
        noise = torch.rand(clips.shape) + random.random() + np.random.rand()
        loss = ((clips + 0.1 * noise) * self.plane).sum(dim=(1, 2)).sub(1).square().mean()
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        if self.step == self.bad_step and rank == self.bad_rank:
            if self.bad == 'loss':
                loss = loss * float('nan')
            elif self.bad == 'gradient':  # sqrt(0): its gradient is infinite
                loss = loss + (self.plane - self.plane.detach()).square().sum().sqrt()
            else:
                loss = loss + float('inf')
        return dict(loss_line=loss)

    def predict(self, inputs, data_samples, **kwargs):
        torch.rand(3)
        return data_samples

    def _forward(self, inputs, data_samples=None):
        return inputs
