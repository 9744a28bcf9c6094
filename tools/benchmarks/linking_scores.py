"""Draw how well matching scores separate pairs of the same object from other pairs.

    python tools/benchmarks/linking_scores.py CONFIG CHECKPOINT FOLDER --out scores.png

Every instance of a clip is compared with every track of the previous clip. The ground truth tells
which pairs show the same object. The figure shows the score of eq. 11 with the threshold 1 and the
log-odds of EvidenceTracker, without and with one shared frame.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import load_checkpoint
from torch import Tensor

from mmcico.formats.read import read_annotations
from mmcico.formats.rle import decode_masks
from mmcico.models import CiCo, ClipTracker, EvidenceTracker
from mmcico.models.losses.clip_seg_loss import at_map_size
from mmcico.models.vis.clip_network import VideoState
from mmcico.registry import DATASETS
from mmcico.structures.clip_masks import pairwise_mask_iou
from mmcico.utils.launch import build_model, read_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser

#: lowest IoU at which a mask shows an object
LEAST_IOU = 0.5
TITLES = ('eq. 11 (threshold 1)', 'EvidenceTracker, log-odds (threshold 0)')


class Pairs(NamedTuple):
    """Pairs of an instance and a track of the previous clip.

    Attributes:
        scores (np.ndarray): (2, P) score of eq. 11 and log-odds.
        same (np.ndarray): (P,) bool, whether both show the same object.
    """

    scores: np.ndarray
    same: np.ndarray


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config of a model')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('folder', help='folder of the videos, with instances.json and JPEGImages')
    parser.add_argument(
        '--num-videos', type=positive_int, default=20, help='number of videos, from the first on'
    )
    parser.add_argument('--out', default='linking_scores.png', help='picture to write')
    return parser.parse_args(argv)


def read_objects(file: Path) -> dict[object, Tensor]:
    """Read the masks (G, L, H, W) of the objects of each video."""
    objects = {}
    for video in read_annotations(file).videos:
        height, width = video.size
        masks = torch.zeros(len(video.tracks), video.length, height, width)
        for row, track in enumerate(video.tracks):
            seen = [frame for frame in range(video.length) if track.seen(frame)]
            drawn = decode_masks([track.counts[frame] for frame in seen], height, width)
            masks[row, seen] = torch.from_numpy(drawn).float()
        objects[video.id] = masks
    return objects


def shown_objects(masks: Tensor, frames: Tensor, objects: Tensor) -> Tensor:
    """Return the object (N,) that each clip mask shows, -1 for none.

    Args:
        masks (Tensor): (N, T, h, w) probabilities.
        frames (Tensor): (N, T) positions of the frames of each mask.
        objects (Tensor): (G, L, h, w) masks of the ground truth.
    """
    found = torch.full((len(masks),), -1)
    for row, (mask, ids) in enumerate(zip(masks > 0.5, frames)):
        iou = pairwise_mask_iou(
            mask.reshape(1, 1, -1, 1), objects[:, ids].reshape(len(objects), 1, -1, 1)
        )
        if iou.numel() and iou.max() >= LEAST_IOU:
            found[row] = iou[0, 0].argmax()
    return found


def padded_to_map(masks: Tensor, img_shape: Sequence[int], input_shape: Sequence[int]) -> Tensor:
    """Bring masks to the size of the mask map of an input.

    Args:
        masks (Tensor): (G, L, H, W) masks of a video.
        img_shape (Sequence[int]): Height and width of its frames in the input.
        input_shape (Sequence[int]): The same with the padding to the right and below.

    Returns:
        Tensor: (G, L, h, w) bool.
    """
    down, right = (
        round(side * (whole / part - 1))
        for side, part, whole in zip(masks.shape[-2:], img_shape, input_shape)
    )
    size = [side // 4 for side in input_shape]
    return at_map_size(F.pad(masks, (0, right, 0, down)), size) > 0.5


def clips_of(model: CiCo, cfg: Config, folder: Path, overlap: int) -> Iterator[tuple]:
    """Yield video id, frames (T, 3, H, W) and sample of each clip of all videos."""
    options = dict(cfg.test_dataloader.dataset)
    options.update(
        data_root=str(folder),
        ann_file='instances.json',
        data_prefix=dict(img='JPEGImages'),
        overlap=overlap,
    )
    dataset = DATASETS.build(options)
    for index in range(len(dataset)):
        batch = model.data_preprocessor(pseudo_collate([dataset[index]]), False)
        sample = batch['data_samples'][0]
        yield sample[0].video_id, batch['inputs'][0], sample


def collect(model: CiCo, cfg: Config, folder: Path, overlap: int, num_videos: int) -> Pairs:
    """Compare the instances of all clips with the tracks of the previous clips."""
    truth = read_objects(folder / 'instances.json')
    chosen = list(truth)[:num_videos]
    paper, scores, same = ClipTracker(), [], []
    state, frame_ids, objects = VideoState(), (), torch.zeros(0)

    def compare(module: torch.nn.Module, inputs: tuple, odds: Tensor) -> None:
        found, tracks, _ = inputs
        new = tracks.age == 0
        plain = paper.match_score(state.tracker, found, frame_ids)
        a = shown_objects(found.masks, found.frames, objects)
        b = shown_objects(tracks.masks, tracks.frames, objects)
        scores.append(torch.stack([plain, odds])[:, :, new].flatten(1))
        same.append(((a[:, None] == b) & (a[:, None] >= 0))[:, new].flatten())

    hook = model.tracker.evidence.register_forward_hook(compare)
    for video, inputs, sample in clips_of(model, cfg, folder, overlap):
        if video not in chosen:
            continue
        frame_ids = sample.frame_ids
        if frame_ids[0] == 0:
            state = VideoState()
            objects = padded_to_map(truth[video], sample[0].img_shape, inputs.shape[-2:])
        state, _ = model.step(state, inputs, frame_ids, sample.num_final)
    hook.remove()
    return Pairs(torch.cat(scores, 1).numpy(), torch.cat(same).numpy())


def draw(pairs: dict[str, Pairs], file: str) -> None:
    """Draw histograms of the scores of pairs of the same object and of other pairs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.4 * len(pairs)), layout='constrained')
    axes = figure.subplots(len(pairs), len(TITLES), sharex='col')
    for row, (name, each) in zip(axes, pairs.items()):
        for axis, scores, title, thr in zip(row, each.scores, TITLES, (1.0, 0.0)):
            bins = np.linspace(scores.min(), scores.max(), 60)
            axis.hist(scores[~each.same], bins, color='tab:red', alpha=0.6, label='other object')
            axis.hist(scores[each.same], bins, color='tab:blue', alpha=0.6, label='same object')
            axis.axvline(thr, color='black', linewidth=1)
            axis.set(yscale='log', title=f'{name}: {title}', ylabel='pairs')
            axis.title.set_fontsize(9)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(file, dpi=90)


@torch.no_grad()
def main(argv: Sequence[str]) -> None:
    """Run the model, draw the figure and print the numbers of wrong pairs."""
    args = parse_args(argv)
    cfg = read_config(args.config)
    model = build_model(cfg).eval()
    load_checkpoint(model, args.checkpoint, map_location='cpu')
    model.tracker = EvidenceTracker()
    pairs = {}
    for overlap, name in enumerate(('no shared frame', 'one shared frame')):
        found = pairs[name] = collect(model, cfg, Path(args.folder), overlap, args.num_videos)
        for scores, title, thr in zip(found.scores, TITLES, (1.0, 0.0)):
            print(
                f'{name}, {title}: {(scores[found.same] <= thr).sum()} of {found.same.sum()} pairs '
                f'of one object are not above it, {(scores[~found.same] > thr).sum()} of '
                f'{(~found.same).sum()} others are'
            )
    draw(pairs, args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main))
