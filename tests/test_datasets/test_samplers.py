"""Distribution of whole videos over processes."""

import pytest
import tiny_video as tiny
from mmengine.dataset import ConcatDataset

from mmcico.datasets import VideoSampler, VISDataset, samplers
from mmcico.datasets.samplers import balanced_shares


def test_longest_first_by_hand():
    assert balanced_shares([5, 1, 4, 2], 2) == [[0, 1], [2, 3]]
    assert balanced_shares([3, 3, 3], 2) == [[0, 2], [1]]
    assert balanced_shares([2], 3) == [[0], [], []]
    assert balanced_shares([], 2) == [[], []]


@pytest.mark.parametrize('shares', range(1, 6))
def test_shares_are_balanced(shares):
    lengths = [7, 3, 9, 1, 1, 4, 6, 2, 8, 5]
    found = balanced_shares(lengths, shares)
    assert sorted(sum(found, [])) == list(range(10))
    loads = [sum(lengths[i] for i in share) for share in found]
    assert max(loads) - min(loads) <= 2


@pytest.fixture
def clips(tmp_path):
    """Video 7 has clips 0 and 1 (T = 3), video 0 has clip 2."""
    path = tiny.write_json(tmp_path, tiny.content())
    return VISDataset(ann_file=path, test_mode=True)


@pytest.mark.parametrize(
    'world, expected', [(1, [[0, 1, 2]]), (2, [[0, 1], [2]]), (3, [[0, 1], [2], []])]
)
def test_ranks_get_whole_videos_in_order(clips, monkeypatch, world, expected):
    found = []
    for rank in range(world):
        monkeypatch.setattr(samplers, 'get_dist_info', lambda: (rank, world))
        sampler = VideoSampler(clips, seed=3)
        sampler.set_epoch(1)
        assert len(sampler) == len(list(sampler))
        found.append(list(sampler))
    assert found == expected


def test_other_data_sets_are_refused(clips):
    with pytest.raises(ValueError, match='not of a ConcatDataset'):
        VideoSampler(ConcatDataset([clips, clips]))


def test_finished_videos_are_left_out(clips, tmp_path):
    assert list(VideoSampler(clips, resume_from=str(tmp_path))) == [0, 1, 2]
    (tmp_path / 'results.rank3.jsonl').write_text('{"video_id": 7, "results": []}\n{"video_id": 0')
    assert list(VideoSampler(clips, resume_from=str(tmp_path))) == [2]
    (tmp_path / 'results.rank0.jsonl').write_text('{"video_id": "0", "results": []}\n')
    assert list(VideoSampler(clips, resume_from=str(tmp_path))) == []
