"""Padding of clips to a least size."""

import numpy as np
import torch.nn.functional as F
from mmdet.models import TrackDataPreprocessor

from mmcico.registry import MODELS


@MODELS.register_module()
class ClipDataPreprocessor(TrackDataPreprocessor):
    """MMDetection's preprocessor with a least size of the padded input.

    Args:
        min_size (tuple[int, int]): Height and width to which smaller normalised clips are padded
            with zeros, right and below.
        **kwargs: Arguments of ``TrackDataPreprocessor``.
    """

    def __init__(self, min_size: tuple[int, int], **kwargs) -> None:
        super().__init__(**kwargs)
        self.min_size = min_size

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise, stack and pad.

        Args:
            data (dict): ``inputs``, B clips (T, 3, H, W), and ``data_samples``.
            training (bool): Whether the clips are for training.

        Returns:
            dict: ``inputs`` (B, T, 3, H, W) and ``data_samples``, whose frames have
            ``batch_input_shape``.
        """
        data = super().forward(data, training)
        height, width = data['inputs'].shape[-2:]
        below = max(self.min_size[0] - height, 0)
        right = max(self.min_size[1] - width, 0)
        data['inputs'] = F.pad(data['inputs'], (0, right, 0, below))
        for sample in data['data_samples'] or []:
            for frame in sample:
                own = np.maximum(frame.pad_shape[:2], self.min_size)
                frame.set_metainfo(
                    dict(
                        pad_shape=tuple(own.tolist()),
                        batch_input_shape=tuple(data['inputs'].shape[-2:]),
                    )
                )
        return data
