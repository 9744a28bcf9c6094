"""Run prediction, streams and tests over the same videos for hours, in one process.

   python tools/benchmarks/soak.py --minutes 120 --out soak

A small model with random weights finds something everywhere in generated videos. A pass predicts
them with overlays, masks and JSON, streams them frame by frame, all videos taking turns, and tests
them with two loader workers. Every pass must give the same bytes in results.json (of predict and
of the test) and the same masks in the streams. Memory is read after each pass.
Written: OUT.json with the curve. The exit code is 1 if results differ or memory grows by
more than --limit MiB after the first tenth of the time.
"""

import argparse
import gc
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcico.compat  # noqa: F401

import cv2
import torch
from memory_of_stream import resident, slope
from mmengine.config import Config
from mmengine.runner import Runner

from mmcico.apis import CiCoInferencer
from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.formats.read import read_annotations
from mmcico.testing import write_small_model
from mmcico.utils.launch import read_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser

DEMO = Path(__file__).resolve().parents[2] / 'configs/demo/cico-yolact_demo_moving-shapes.py'


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--minutes', type=float, default=120)
    parser.add_argument('--videos', type=positive_int, default=3)
    parser.add_argument('--frames', type=positive_int, default=12, help='frames of each video')
    parser.add_argument('--limit', type=float, default=32, help='MiB that memory may grow by')
    parser.add_argument('--out', default='soak', help='file without its ending')
    return parser.parse_args(argv)


class Soak:
    """The model, the videos and the three uses.

    Args:
        folder (Path): For everything that is written.
        videos (int): Number of videos.
        frames (int): Frames of each.
    """

    def __init__(self, folder: Path, videos: int, frames: int) -> None:
        shapes = make_config('easy', size=(64, 96), num_frames=frames)
        write_dataset(folder / 'test', videos, seed=3, config=shapes)
        self.folder = folder
        self.sources = sorted(map(str, (folder / 'test' / 'JPEGImages').iterdir()))
        small, weights = write_small_model(folder)
        file = read_annotations(folder / 'test' / 'instances.json')
        keys, names = zip(*sorted(file.categories))
        content = torch.load(weights, weights_only=True)
        content['meta'] = dict(dataset_meta=dict(classes=names, category_ids=keys))
        torch.save(content, weights)
        cfg = read_config(str(DEMO))
        cfg.model = Config.fromfile(small).model
        cfg.test_dataloader.dataset.data_root = str(folder)
        cfg.test_dataloader.update(num_workers=2, persistent_workers=False)
        cfg.test_evaluator = dict(
            type='mmcico.VISMetric',
            ann_file=str(folder / 'test' / 'instances.json'),
            outdir=str(folder / 'work'),
        )
        cfg.update(work_dir=str(folder / 'work'), load_from=weights, log_level='ERROR')
        cfg.update(train_dataloader=None, train_cfg=None, optim_wrapper=None, param_scheduler=None)
        cfg.update(val_dataloader=None, val_cfg=None, val_evaluator=None)
        self.runner = Runner.from_cfg(cfg)
        self.inferencer = CiCoInferencer(cfg, weights, 'cpu', show_progress=False)

    def predict(self) -> str:
        """Predict all videos with all files; the digest of results.json."""
        out = self.folder / 'predicted'
        self.inferencer(self.sources, out_dir=str(out))
        return digest((out / 'results.json').read_bytes())

    def stream(self) -> str:
        """Stream all videos in turns; the digest of their masks, scores and ids."""
        frames = [[cv2.imread(str(p)) for p in sorted(Path(s).iterdir())] for s in self.sources]
        streams = [self.inferencer.stream(each, str(i)) for i, each in enumerate(frames)]
        found = hashlib.sha256()
        for results in zip(*streams):
            for result in results:
                tracks = result.sample.pred_track_instances
                for value in (tracks.masks, tracks.scores, tracks.instances_id):
                    found.update(value.cpu().numpy().tobytes())
        return found.hexdigest()[:16]

    def test(self) -> str:
        """Test the model; the digest of results.json."""
        self.runner.test()
        return digest((self.folder / 'work' / 'results.json').read_bytes())


def digest(data: bytes) -> str:
    """Return a short digest of bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def soak(uses: Soak, minutes: float) -> dict[str, Any]:
    """Repeat the three uses.

    Returns:
        dict: ``curve`` with minutes and MiB after each pass, ``digests`` with the distinct
        results of each use, ``passes``.
    """
    began, curve = time.perf_counter(), []
    names = ('predict', 'stream', 'test')
    digests: dict[str, list[str]] = {name: [] for name in names}
    while not curve or curve[-1][0] < minutes:
        for name in names:
            result = getattr(uses, name)()
            if result not in digests[name]:
                digests[name].append(result)
        gc.collect()
        curve.append([round((time.perf_counter() - began) / 60, 3), round(resident(), 1)])
        if len(curve) % 20 == 1:
            print(f'pass {len(curve)}: {curve[-1][0]:.1f} min, {curve[-1][1]:.0f} MiB', flush=True)
    return dict(passes=len(curve), curve=curve, digests=digests)


def main(argv: Sequence[str]) -> int:
    """Read the command line, run, compare."""
    args = parse_args(argv)
    folder = Path(tempfile.mkdtemp())
    try:
        found = soak(Soak(folder, args.videos, args.frames), args.minutes)
    finally:
        shutil.rmtree(folder)
    start = found['curve'][len(found['curve']) // 10][1]
    found['growth'] = round(max(value for _, value in found['curve']) - start, 1)
    found['slope_per_hour'] = round(slope(found['curve']) * 60 / 1000, 2)
    Path(f'{args.out}.json').write_text(json.dumps(found, indent=1))
    differ = [name for name, values in found['digests'].items() if len(values) > 1]
    print(
        f'{found["passes"]} passes in {found["curve"][-1][0]:.1f} minutes; memory {start:.0f} MiB '
        f'after the first tenth, at most {found["growth"]:+.1f} MiB then, '
        f'{found["slope_per_hour"]:+.2f} MiB an hour over the second half; '
        f'results differ: {", ".join(differ) or "none"}'
    )
    return 1 if differ or found['growth'] > args.limit else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
