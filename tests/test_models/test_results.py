"""Results of clips as MMDetection's structures."""

import pytest
import torch
from mmengine.structures import InstanceData

from mmcico.models.vis.data_samples import to_track_sample
from mmcico.testing import clip_sample


@pytest.mark.parametrize('tentative', [None, [False, True, False, True], [False] * 4])
def test_instances_of_a_frame_are_those_seen_in_it(tentative, monkeypatch):
    masks = torch.zeros(4, 2, 24, 40)
    masks[:, 0, 2:4, 2:4] = 1
    masks[:2, 1, 2:4, 2:4] = 1  # two of four are hidden in the second frame
    clip = InstanceData(
        bboxes=torch.tensor([-4.0, 8, 16, 999]).expand(4, 2, 4),
        masks=masks,
        scores=torch.tensor([0.9, 0.8, 0.7, 0.6]),
        labels=torch.tensor([0, 1, 2, 3]),
        instances_id=torch.tensor([10, 11, 12, 13]),
    )
    if tentative is not None:
        clip.tentative = torch.tensor(tentative)
    sample = clip_sample([[0], [0]])
    # MMDetection's own setter of frames writes the tensors as text
    monkeypatch.setattr(torch.Tensor, '__repr__', None)
    result = to_track_sample(clip, sample, (96, 160))
    assert result.get('video_data_samples') is result.to_dict()['video_data_samples']
    unsure = tentative or [False] * 4
    for frame, seen in zip(result.video_data_samples, (range(4), range(2))):
        found = frame.pred_track_instances
        assert found.labels.tolist() == [n for n in seen if not unsure[n]]
        assert found.masks.shape[1:] == (192, 320) and found.masks.flatten(1).any(dim=1).all()
        assert found.bboxes[0].tolist() == [0, 16, 32, 192]
        found.labels.zero_()  # which changes this frame alone
        if tentative is not None:
            assert frame.tentative_track_instances.labels.tolist() == [n for n in seen if unsure[n]]
    assert clip.labels.tolist() == [0, 1, 2, 3]
