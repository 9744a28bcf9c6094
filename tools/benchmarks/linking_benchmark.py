"""Compare linkers on equal detections with errors, on generated video.

    python tools/benchmarks/linking_benchmark.py
    python tools/benchmarks/linking_benchmark.py --overlap 0 --miss 0.2

No network is needed: videos of moving shapes are cut into clips, and random errors are added to the
ground truth (see noisy_clips.py). The benchmark prints identity switches and fragments as CLEAR MOT
counts them, and the AP of YouTube-VIS, with mean and standard deviation over seeds.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from noisy_clips import DetectionNoise, detect_clips, vanish
from torch import Tensor

from mmcico.datasets.clip_windows import Window, clip_windows
from mmcico.datasets.moving_shapes import SHAPE_CLASSES, Track, make_config
from mmcico.datasets.moving_shapes.generate import categories, scene_tracks, track_annotation
from mmcico.datasets.moving_shapes.scene import build_scene
from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.diagnosis.identities import Counts, count_switches
from mmcico.evaluation.video_results import VideoResults
from mmcico.formats.rle import encode_masks
from mmcico.models import TrackState
from mmcico.registry import MODELS
from mmcico.structures.clip_masks import pairwise_mask_iou
from mmcico.utils.files import write_whole
from mmcico.utils.tool import markdown_table, natural_int, positive_int, run_tool, tool_parser

TRACKERS = Path(__file__).parents[2] / 'configs/_base_/trackers'
COLUMNS = dict(switches='{:.0f}', fragments='{:.0f}', AP='{:.3f}', AP50='{:.3f}')


class Video(NamedTuple):
    """A video with its objects, its clips and the detections in them."""

    tracks: list[Track]
    windows: list[Window]
    clips: list[InstanceData]


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--trackers',
        nargs='*',
        default=[str(TRACKERS / name) for name in ('long_memory.py', 'evidence.py')],
        metavar='FILE',
        help='configs of further trackers, besides those of the paper and of the published models',
    )
    parser.add_argument('--seeds', type=natural_int, nargs='+', default=[0, 1, 2, 3, 4])
    parser.add_argument(
        '--num-videos', type=positive_int, default=10, help='number of videos of a seed'
    )
    parser.add_argument('--num-frames', type=positive_int, default=60)
    parser.add_argument('--size', type=positive_int, nargs=2, default=(96, 160))
    parser.add_argument('--objects', type=positive_int, nargs=2, default=(3, 6))
    parser.add_argument('--num-classes', type=positive_int, default=4)
    parser.add_argument('--clip', type=positive_int, default=3, help='number of frames of a clip')
    parser.add_argument('--overlap', type=natural_int, nargs='+', default=[1, 0])
    parser.add_argument('--out', help='JSON file for the numbers')
    noise = parser.add_argument_group('noise of the detections')
    for field in fields(DetectionNoise):
        noise.add_argument(
            '--' + field.name.replace('_', '-'), type=field.type, default=field.default
        )
    return parser.parse_args(argv)


def make_videos(args: argparse.Namespace, seed: int, overlap: int) -> list[Video]:
    """Return the videos of a seed that show an object, with their detections."""
    config = make_config(
        'hard',
        num_frames=args.num_frames,
        size=tuple(args.size),
        objects=tuple(args.objects),
        num_classes=args.num_classes,
    )
    noise = DetectionNoise(
        **{field.name: getattr(args, field.name) for field in fields(DetectionNoise)}
    )
    windows = clip_windows(args.num_frames, args.clip, overlap)
    videos = []
    for index in range(args.num_videos):
        rng = np.random.default_rng([seed, index])
        tracks = scene_tracks(build_scene(rng, config), config)
        if not tracks:
            continue
        tracks = vanish(rng, tracks, windows, noise)
        videos.append(
            Video(tracks, windows, detect_clips(rng, tracks, windows, args.num_classes, noise))
        )
    return videos


def redraw(params: Tensor, boxes: Tensor, shape: tuple[int, ...], **crops: Tensor) -> Tensor:
    """Return the last masks of tracks that the clip does not show, repeated as (N, T, H, W)."""
    steps, height, width = shape
    return params.view(-1, 1, height, width).expand(-1, steps, -1, -1)


def link(tracker: torch.nn.Module, video: Video) -> Iterator[InstanceData]:
    """Yield the clips with ids."""
    state = TrackState()
    for window, clip in zip(video.windows, video.clips):
        draw = partial(redraw, shape=clip.masks.shape[1:])
        state, linked = tracker.step(state, clip[:], window.frame_ids, draw)
        yield linked


def tentative_rows(clip: InstanceData) -> Tensor:
    """Return (N,) bool, rows whose tracks are not confirmed yet."""
    return clip.get('tentative', torch.zeros(len(clip), dtype=torch.bool))


def score_video(
    tracker: torch.nn.Module, video: Video, video_id: int
) -> tuple[Counts, list[dict[str, Any]]]:
    """Return the counts and the tracks of a video."""
    length, *size = video.tracks[0].masks.shape
    results, frames = VideoResults(video_id, length), []
    clips = list(link(tracker, video))
    confirmed = torch.cat([clip.instances_id[~tentative_rows(clip)] for clip in clips])
    for window, clip in zip(video.windows, clips):
        clip = clip[torch.isin(clip.instances_id, confirmed)]
        ids = clip.instances_id.tolist()
        results.add_votes(ids, clip.scores.tolist(), clip.labels.tolist())
        for frame, masks in zip(
            window.frame_ids[: window.num_final], (clip.masks > 0.5).transpose(0, 1).numpy()
        ):
            if frame < len(frames):
                continue  # an earlier clip has already added it
            seen = masks.any(axis=(1, 2))
            results.add_frame(frame, tuple(size), ids, encode_masks(masks))
            shown = [i for i, t in enumerate(video.tracks) if t.present[frame]]
            truth = np.stack([t.masks[frame] for t in video.tracks])[shown]
            iou = pairwise_mask_iou(
                torch.from_numpy(truth[:, None]), torch.from_numpy(masks[seen][:, None])
            )[0]
            frames.append((shown, np.array(ids, int)[seen].tolist(), iou.numpy()))
    names = range(1, len(SHAPE_CLASSES) + 1)
    return count_switches(frames), results.finish(names)


def measure(tracker: torch.nn.Module, videos: list[Video]) -> dict[str, Any]:
    """Return the figures of a linker on the videos of a seed."""
    counts, tracks, entries, annotations = Counts(), [], [], []
    for number, video in enumerate(videos, start=1):
        length, height, width = video.tracks[0].masks.shape
        entries.append(dict(id=number, height=height, width=width, length=length))
        annotations += [
            dict(track_annotation(track), id=len(annotations) + index, video_id=number)
            for index, track in enumerate(video.tracks, start=1)
        ]
        found = score_video(tracker, video, number)
        counts, tracks = Counts.total([counts, found[0]]), tracks + found[1]
    truth = read_ground_truth(
        dict(videos=entries, categories=categories(len(SHAPE_CLASSES)), annotations=annotations)
    )
    figures = evaluate(truth, read_results(tracks, truth))
    return dict(counts._asdict(), AP=figures['AP'], AP50=figures['AP50'])


def linkers(files: list[str]) -> dict[str, torch.nn.Module]:
    """Build the linkers; return them by name."""
    configs = dict(
        paper=dict(type='mmcico.ClipTracker'), published=dict(type='mmcico.PublishedClipTracker')
    )
    for file in files:
        cfg = Config.fromfile(file)
        if 'tracker' not in cfg and 'model' not in cfg:
            raise ValueError(f'{file} has neither a tracker nor a model')
        configs[Path(file).stem] = cfg.get('tracker') or cfg.model.tracker
    return {name: MODELS.build(cfg) for name, cfg in configs.items()}


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return a table in Markdown with a row for each linker."""
    lines = [['linker', *COLUMNS]]
    for name, rows in found.items():
        lines.append([name])
        for key, form in COLUMNS.items():
            values = [row[key] for row in rows]
            lines[-1].append(f'{form} ± {form}'.format(np.mean(values), np.std(values)))
    return markdown_table(lines)


def main(argv: Sequence[str]) -> None:
    """Print a table for each overlap."""
    args = parse_args(argv)
    report = dict(settings=vars(args))
    for overlap in args.overlap:
        found: dict[str, list[dict[str, Any]]] = {}
        for seed in args.seeds:
            videos = make_videos(args, seed, overlap)
            for name, tracker in linkers(args.trackers).items():
                found.setdefault(name, []).append(measure(tracker, videos))
        report[f'overlap {overlap}'] = found
        print(f'\nclips of {args.clip} frames, {overlap} shared:\n')
        print(table(found), flush=True)
    if args.out:
        write_whole(args.out, json.dumps(report, indent=1) + '\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
