"""Repeat the batch at which a training stopped because a number was not finite.

    python tools/analysis_tools/replay_batch.py CONFIG work_dirs/X/replay/iter_N_rank0.pt

The tool prints the clips, every loss, and the largest gradient of each part of the model. If all
numbers are finite with the last good checkpoint, which is the default, the weights have diverged
since then; if not, the batch or the model is the cause.
"""

import argparse
import sys
from collections.abc import Sequence

import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from mmengine.utils import import_modules_from_strings

from mmcico.engine.finite_hook import batch_names, load_batch
from mmcico.utils import launch
from mmcico.utils.numerics import seed_generators
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of the training')
    parser.add_argument('batch', help='file that the training wrote')
    parser.add_argument(
        '--checkpoint', help='weights, or "none" for new ones (default: the last good checkpoint)'
    )
    launch.add_cfg_options(parser)
    return parser.parse_args(argv)


def load_model(cfg: Config, checkpoint: str | None) -> torch.nn.Module:
    """Build the model in training mode, with the weights of a checkpoint."""
    import_modules_from_strings(**cfg.get('custom_imports', dict(imports=[])))
    model = launch.build_model(cfg)
    model.init_weights()
    if checkpoint:
        load_checkpoint(model, checkpoint, map_location='cpu')
    return model.train()


def replay(model: torch.nn.Module, content: dict) -> tuple[dict, dict]:
    """Compute the losses and the gradients of a batch as in its step of the training.

    Returns:
        tuple[dict, dict]: Losses by name, and largest absolute gradients by part of the model.
    """
    seed_generators(content['seed'], content['rank'], content['step'] - 1, 0)
    data = model.data_preprocessor(content['batch'], True)
    total, losses = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            part = name.split('.')[0]
            # torch.maximum keeps NaN
            largest = parameter.grad.abs().max()
            gradients[part] = torch.maximum(gradients.get(part, largest), largest)
    return losses, gradients


def main(argv: Sequence[str]) -> None:
    """Run the batch and print the numbers."""
    args = parse_args(argv)
    content = load_batch(args.batch)
    cfg = launch.read_config(args.config, args.cfg_options)
    checkpoint = args.checkpoint or content['checkpoint']
    model = load_model(cfg, None if checkpoint == 'none' else checkpoint)
    losses, gradients = replay(model, content)
    print(f'step {content["step"]}, process {content["rank"]}, weights: {checkpoint}')
    for name in batch_names(content['batch']):
        print(f'  {name}')
    for title, values in (('loss', losses), ('largest gradient', gradients)):
        for name, value in values.items():
            mark = '' if torch.isfinite(torch.as_tensor(value)).all() else '   <- not finite'
            print(f'{title:17}{name:20}{float(value):12.5g}{mark}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
