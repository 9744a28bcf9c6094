"""Make an animated picture of videos side by side, as in the README.

These commands made the picture of the README::

    mmcico demo --weights work_dirs/quickstart/iter_1500.pth --seed 8 --num-frames 48 \\
        --trail 15 --min-side 240 --out outputs/demo8
    mmcico demo --weights work_dirs/quickstart/iter_1500.pth --seed 11 --num-frames 48 \\
        --trail 15 --min-side 240 --out outputs/demo11
    python tools/benchmarks/animated_picture.py outputs/demo8/videos/found.mp4 \\
        outputs/demo11/videos/found.mp4 --out docs/en/images/found.webp
"""

import argparse
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image


def frames_of(path: str, height: int) -> list[np.ndarray]:
    """Read the frames of a video, resized to a height, as RGB."""
    capture, frames = cv2.VideoCapture(path), []
    while True:
        found, frame = capture.read()
        if not found:
            break
        width = round(frame.shape[1] * height / frame.shape[0])
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        frames.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    if not frames:
        raise SystemExit(f'error: {path} has no frames that can be read')
    return frames


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument('videos', nargs='+', help='videos of the same length')
    parser.add_argument('--out', required=True, help='picture to write, .webp or .gif')
    parser.add_argument('--height', type=int, default=240, help='height of each video')
    parser.add_argument('--fps', type=float, default=10)
    parser.add_argument('--quality', type=int, default=60, help='quality of WebP, up to 100')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the picture."""
    args = parse_args(argv)
    panels = zip(*(frames_of(path, args.height) for path in args.videos))
    first, *rest = (Image.fromarray(np.concatenate(row, axis=1)) for row in panels)
    first.save(
        args.out,
        save_all=True,
        append_images=rest,
        duration=round(1000 / args.fps),
        loop=0,
        quality=args.quality,
    )


if __name__ == '__main__':
    main()
