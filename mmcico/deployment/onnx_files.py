"""ONNX files: their metadata, sessions of ONNX Runtime, and the clip network that runs one."""

import ast
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from torch import Tensor

from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.clip_network import ClipInput, ClipModel, ClipNetwork, NetworkResult
from mmcico.models.vis.frame_features import KnownFrames, check_size
from mmcico.structures.clip_outputs import ClipOutputs
from mmcico.version import __version__

PREFIX = 'mmcico.'
#: name of the input of an exported network
FRAMES = 'frames'
#: height and width of the input must be multiples of this
DIVISOR = 32


@dataclass(frozen=True)
class OnnxInfo:
    """Metadata of an exported clip network.

    Attributes:
        num_frames (int): T, fixed in the file.
        strides (tuple): (x, y) strides of each level, in pixels.
        classes (tuple[str]): Class name of each label.
        category_ids (tuple): Category id of each label.
        cfg (dict, optional): The whole config; None if it has values that are not plain.
        version (str): Version of mmcico that exported the file.
    """

    num_frames: int
    strides: tuple[tuple[int, int], ...]
    classes: tuple[str, ...] = ()
    category_ids: tuple[Any, ...] = ()
    cfg: dict[str, Any] | None = None
    version: str = __version__

    @classmethod
    def of(
        cls,
        model: CiCo,
        cfg: Config | ConfigDict | None = None,
        classes: Sequence[str] = (),
        category_ids: Sequence[Any] = (),
    ) -> 'OnnxInfo':
        """Return the metadata of a model.

        Args:
            model (CiCo): The model.
            cfg (Config, optional): Config of the model.
            classes (Sequence[str]): Class name of each label.
            category_ids (Sequence): Category id of each label.
        """
        return cls(
            num_frames=model.num_frames,
            strides=strides_of(model),
            classes=tuple(classes),
            category_ids=tuple(category_ids),
            cfg=plain(cfg),
        )

    def to_props(self) -> dict[str, str]:
        """Return the metadata as texts by name, as ``metadata_props`` of ONNX holds them."""
        return {PREFIX + each.name: repr(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_props(cls, props: Mapping[str, str], path: str) -> 'OnnxInfo':
        """Read texts that :meth:`to_props` has written, without executing any code.

        Args:
            props (Mapping[str, str]): Texts by name.
            path (str): Path of the file, for messages.

        Raises:
            ValueError: If mmcico did not write the file.
        """
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if PREFIX + name not in props]
        if missing:
            raise ValueError(
                f'"{path}" is not a clip network of mmcico: its metadata has no '
                f'{", ".join(PREFIX + name for name in missing)}; give a file that '
                'tools/deployment/export_onnx.py has written'
            )
        return cls(**{name: ast.literal_eval(props[PREFIX + name]) for name in names})


def strides_of(model: CiCo) -> tuple[tuple[int, int], ...]:
    """Return the (x, y) strides of all levels in pixels."""
    return tuple((int(x), int(y)) for x, y in model.bbox_head.anchor_generator.strides)


def plain(cfg: Config | ConfigDict | None) -> dict[str, Any] | None:
    """Return a config as a dict, None if the dict cannot be read back from its text."""
    if cfg is None:
        return None
    values = cfg.to_dict()
    try:
        return values if ast.literal_eval(repr(values)) == values else None
    except (ValueError, SyntaxError):
        return None


def optional_package(name: str) -> ModuleType:
    """Import a package of the extra ``[onnx]``.

    Raises:
        ValueError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f'ONNX files need the Python package "{name}", which cannot be imported ({error}); '
            "run: pip install 'mmcico[onnx]'"
        ) from error


def open_session(path: str, providers: Sequence[str] | None = None, num_threads: int = 0) -> Any:
    """Open a file in ONNX Runtime.

    Args:
        path (str): Path of the file.
        providers (Sequence[str], optional): Names of ONNX Runtime's execution providers, the
            preferred one first. Default: all that are installed.
        num_threads (int): Number of CPU threads; 0 lets ONNX Runtime choose.

    Returns:
        InferenceSession: The session.

    Raises:
        ValueError: If the file or a provider does not exist, or the file is damaged.
    """
    runtime = optional_package('onnxruntime')
    if not Path(path).is_file():
        raise ValueError(f'ONNX file "{path}" does not exist')
    known = runtime.get_available_providers()
    unknown = sorted(set(providers or ()) - set(known))
    if unknown:
        raise ValueError(
            f'ONNX Runtime has no provider {", ".join(unknown)}, only {", ".join(known)}; choose '
            'one of these or install an onnxruntime package that has it'
        )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    try:
        return runtime.InferenceSession(str(path), options, providers=list(providers or known))
    except Exception as error:
        # the errors of ONNX Runtime have no other common base
        raise ValueError(f'ONNX Runtime cannot open "{path}": {error}') from error


def output_names(model: CiCo) -> list[str]:
    """Return the names of the outputs of an exported network in their order."""
    names = ['cls_scores', 'bbox_deltas', 'mask_params', 'embeds']
    if model.bbox_head.with_centerness:
        names.append('centerness')
    return names + ['protos']


def level_sizes(model: ClipModel, input_shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return the height and width of each level for a height and width of the input.

    They are those of the input divided by the stride, rounded up, as convolutions with stride 2 and
    padding give them; :func:`export_onnx` checks this.
    """
    height, width = input_shape
    strides = model.bbox_head.anchor_generator.strides
    return [(-(-height // y), -(-width // x)) for x, y in strides]


def map_priors(model: ClipModel, input_shape: Sequence[int], like: Tensor) -> Tensor:
    """Compute the anchors (P, 4), xyxy in pixels, from the height and width of the input.

    ``like`` is a tensor on the device of the result.
    """
    sizes = level_sizes(model, input_shape)
    generator = model.bbox_head.anchor_generator
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

    def __call__(self, model: ClipModel, known: KnownFrames, clip: ClipInput) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`.

        Raises:
            ValueError: If height or width are no multiples of 32, or differ from those of the
                frames before.
        """
        check_size(known, clip.inputs, clip.frame_ids)
        size = tuple(clip.inputs.shape[-2:])
        if any(side % DIVISOR for side in size):
            raise ValueError(
                f'frames {tuple(clip.frame_ids)} are {size} (height, width) as input; an ONNX file '
                f'takes multiples of {DIVISOR}: set pad_size_divisor={DIVISOR} of the '
                'data_preprocessor'
            )
        values = run_session(self.session, clip.inputs)
        protos = values.pop('protos')
        outputs = ClipOutputs(priors=map_priors(model, size, clip.inputs), **values)
        return NetworkResult(outputs, protos, KnownFrames(input_shape=size))
