"""Remove the parts of a checkpoint that only a resumed training needs.

    python tools/model_converters/publish.py work_dirs/mine/epoch_12.pth models/mine.pth

``--half`` stores numbers in half precision, for a file of half the size.

The tool keeps ``state_dict`` and ``meta`` (config, classes). It appends the first eight digits of
the SHA-256 to the name, as in ``models/mine-1a2b3c4d.pth``; MMEngine can check them when it loads a
URL.
"""

import argparse
import hashlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import mmcico.compat  # noqa: F401

import torch
from mmengine.runner.checkpoint import _load_checkpoint

from mmcico.utils.files import write_whole
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='checkpoint of a training')
    parser.add_argument('out', help='file to write; the digits are added to its name')
    parser.add_argument(
        '--half', action='store_true', help='write numbers in half precision (float16)'
    )
    return parser.parse_args(argv)


def halved(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights in float16; counts of steps stay whole numbers.

    Raises:
        ValueError: If a number does not fit into float16.
    """
    half = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    for name, value in half.items():
        if not value.isfinite().all():
            raise ValueError(
                f'{name} has values beyond 65504, which float16 cannot hold; leave out --half'
            )
    return half


def main(argv: Sequence[str]) -> None:
    """Write the reduced checkpoint and print its path."""
    args = parse_args(argv)
    loaded = _load_checkpoint(args.checkpoint, map_location='cpu', logger='silent')
    if not isinstance(loaded, dict) or 'state_dict' not in loaded:
        raise ValueError(
            f'{args.checkpoint} has no "state_dict"; give a checkpoint of a training (epoch_N.pth)'
        )
    if args.half:
        loaded['state_dict'] = halved(loaded['state_dict'])
    content = io.BytesIO()
    torch.save({key: loaded[key] for key in ('meta', 'state_dict') if key in loaded}, content)
    data = content.getvalue()
    out = Path(args.out)
    out = out.with_name(f'{out.stem}-{hashlib.sha256(data).hexdigest()[:8]}.pth')
    write_whole(out, data)
    print(
        f'{out}: {len(data) / 2**20:.1f} MiB, without {sorted({*loaded} - {"meta", "state_dict"})}'
    )


if __name__ == '__main__':
    sys.exit(run_tool(main))
