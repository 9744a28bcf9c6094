"""A clip network that runs an ONNX file."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.clip_network import (
    ClipModel,
    ClipNetwork,
    KnownFrames,
    NetworkResult,
    check_size,
)
from mmcico.structures.clip_outputs import ClipOutputs

#: name of the input of an exported network
FRAMES = 'frames'
#: height and width of the input must be multiples of this
DIVISOR = 32


def output_names(model: CiCo) -> list[str]:
    """Return the names of the outputs of an exported network in their order."""
    names = ['cls_scores', 'bbox_deltas', 'mask_params', 'embeds']
    if model.bbox_head.with_centerness:
        names.append('centerness')
    return names + ['protos']


def map_priors(model: ClipModel, input_shape: Sequence[int], like: Tensor) -> Tensor:
    """Compute the anchors (P, 4), xyxy in pixels, from the height and width of the input.

    The height and the width of a level are those of the input divided by the stride, rounded up, as
    convolutions with stride 2 and padding give them; :func:`export_onnx` checks this. ``like`` is a
    tensor on the device of the result.
    """
    generator = model.bbox_head.anchor_generator
    height, width = input_shape
    sizes: list[tuple[int, int]] = [(-(-height // y), -(-width // x)) for x, y in generator.strides]
    return torch.cat(generator.grid_priors(sizes, dtype=torch.float32, device=like.device))


def run_session(session: Any, inputs: Tensor) -> dict[str, Tensor]:
    """Return the outputs of an exported network for (T, 3, H, W) normalised frames.

    They are float32 and on the device of the inputs.
    """
    frames = inputs.detach().float().cpu().contiguous().numpy()
    names = [each.name for each in session.get_outputs()]
    values = session.run(names, {FRAMES: frames})
    return {name: torch.from_numpy(value).to(inputs.device) for name, value in zip(names, values)}


class OnnxNetwork(ClipNetwork):
    """Runs the whole exported network on each clip.

    It shares no features between clips and skips no anchors. Predictions that pass the score
    threshold are those of the model's own layers.

    Args:
        session (InferenceSession): Session of the file.
    """

    def __init__(self, session: Any) -> None:
        self.session = session

    def __call__(
        self,
        model: ClipModel,
        known: KnownFrames,
        inputs: Tensor,
        frame_ids: Sequence[int],
        num_final: int,
    ) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`.

        Raises:
            ValueError: If height or width are no multiples of 32, or differ from those of the
                frames before.
        """
        check_size(known, inputs, frame_ids)
        size = tuple(inputs.shape[-2:])
        if any(side % DIVISOR for side in size):
            raise ValueError(
                f'frames {tuple(frame_ids)} are {size} (height, width) as input; an ONNX file '
                f'takes multiples of {DIVISOR}: set pad_size_divisor={DIVISOR} of the '
                'data_preprocessor'
            )
        values = run_session(self.session, inputs)
        protos = values.pop('protos')
        outputs = ClipOutputs(priors=map_priors(model, size, inputs), **values)
        return NetworkResult(outputs, protos, KnownFrames(input_shape=size))
