"""Configs for a training on data of one's own, for a person to read and change."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from mmcico.formats.annotations import AnnotationFile
from mmcico.formats.categories import normalised
from mmcico.utils.files import write_whole
from mmcico.utils.launch import read_config
from mmcico.utils.package_files import package_root

from .config_template import TEMPLATE
from .model_loading import ANY_OBJECT, check_config, config_in, find_model, read_checkpoint
from .training_plan import Anchors, Choices

RUNTIME = 'configs/_base_/default_runtime.py'
PRETRAINED = ('Pretrained', 'mmcico.InflatedPretrained')
#: learning rates of AdamW: from random values, from a checkpoint, from a pretrained backbone
SCRATCH_RATE, CHECKPOINT_RATE, BACKBONE_RATE = 0.002, 0.0005, 0.0001
#: from a checkpoint that has the classes of the data already
SAME_CLASSES_RATE = 0.0001
#: settings of a start that are kept beside its model
KEPT = ('custom_imports', 'shown_score')
#: steps of every test pipeline; others, such as ClipMotion, belong to the input of a model
USUAL_STEPS = {'mmcico.ClipFrameSample', 'TransformBroadcaster', 'mmcico.PackClipInputs'}


class Base(NamedTuple):
    """What a training starts from.

    Attributes:
        name (str): As the user gave it.
        config (Config): Model and runtime settings, and ``shown_score`` if it has one.
        weights (str | None): Checkpoint to start from.
        learning_rate (float): Suggested learning rate, if classes have to be learned.
        classes (tuple[str, ...]): Classes of the checkpoint, as far as it names them.
        clip_steps (tuple[dict, ...]): Steps of its test pipeline that change whole clips.
        known_side (int | None): Long side of frames in its tests, if there are weights.
    """

    name: str
    config: Config
    weights: str | None
    learning_rate: float
    classes: tuple[str, ...] = ()
    clip_steps: tuple[dict[str, Any], ...] = ()
    known_side: int | None = None


class Data(NamedTuple):
    """Data of a training.

    Attributes:
        images (str): Folder of the frames.
        train_file (str): Annotation file.
        valid_file (str): Annotation file.
        classes (tuple[str, ...]): Names in the order of the labels.
        counts (str): Numbers of videos and frames, for a comment.
    """

    images: str
    train_file: str
    valid_file: str
    classes: tuple[str, ...]
    counts: str


def find_base(name: str) -> Base:
    """Return the model that a name, a config or a checkpoint stands for.

    Args:
        name (str): Checkpoint (``.pth``) that holds its config, ``'any-object'`` for that of the
            package, or a config as for :func:`mmcico.utils.package_files.find_config`.

    Returns:
        Base: With the runtime settings of the package.

    Raises:
        ValueError: If it is no model of clips.
        FileNotFoundError: If it does not exist.
    """
    classes: tuple[str, ...] = ()
    weights: str | None
    file = str(ANY_OBJECT) if name == 'any-object' else name
    if file.endswith('.pth'):
        if not Path(file).is_file():
            raise FileNotFoundError(f'checkpoint "{name}" does not exist')
        checkpoint = read_checkpoint(file)
        config, weights = config_in(checkpoint, file), str(Path(file).resolve())
        meta = checkpoint.get('meta') or {}
        classes = tuple(meta.get('dataset_meta', {}).get('classes') or ())
    else:
        config, weights = find_model(name)
    check_config(config)
    model = config.model.to_dict()
    pretrained = drop_pretrained(model, weights is not None)
    content = read_config(str(package_root() / RUNTIME)).to_dict()
    content |= {key: config[key] for key in KEPT if config.get(key) is not None}
    rate = BACKBONE_RATE if pretrained else CHECKPOINT_RATE if weights else SCRATCH_RATE
    pipeline = config.test_dataloader.dataset.pipeline
    steps = tuple(dict(step) for step in pipeline if step.type not in USUAL_STEPS)
    side = long_side(pipeline) if weights else None
    return Base(name, Config(dict(content, model=model)), weights, rate, classes, steps, side)


def long_side(pipeline: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the long side into which a pipeline resizes frames, None if it does not say."""
    for step in (each for outer in pipeline for each in outer.get('transforms', [outer])):
        if step['type'] == 'Resize' and isinstance(step.get('scale'), (tuple, list)):
            return max(step['scale'])
    return None


def drop_pretrained(part: Any, drop: bool) -> bool:
    """Return whether a part of a model starts from a file, and let it not do so if wanted.

    Args:
        part (Any): Part of the config of a model; changed in place.
        drop (bool): Whether to drop these initialisations, which a checkpoint replaces.
    """
    if not isinstance(part, dict):
        return False
    found = False
    for key, value in part.items():
        if key == 'init_cfg' and isinstance(value, Mapping) and value.get('type') in PRETRAINED:
            found = True
            if drop:
                part[key] = None
        else:
            found |= drop_pretrained(value, drop)
    return found


def used_classes(file: AnnotationFile, known: Sequence[str] = ()) -> list[str]:
    """Return the names of the classes that have an object.

    Args:
        file (AnnotationFile): The data.
        known (Sequence[str]): Classes of a checkpoint. If they are the same, they set the order,
            else the file does.
    """
    used = {
        track.category_id
        for video in file.videos
        for track in video.tracks
        if not track.iscrowd and any(map(track.seen, range(video.length)))
    }
    names = [name for key, name in file.categories if key in used]
    order = [normalised(name) for name in known]
    if sorted(order) == sorted(map(normalised, names)):
        names.sort(key=lambda name: order.index(normalised(name)))
    return names


def anchor_strides(base: Base) -> list[int] | None:
    """Return the strides of the anchors of a model, None for one without square anchors."""
    generator = base.config.model.bbox_head.get('anchor_generator') or {}
    if generator.get('type', 'AnchorGenerator') != 'AnchorGenerator' or 'strides' not in generator:
        return None
    return list(generator['strides'])


def model_text(classes: Sequence[str], anchors: Anchors | None) -> str:
    """Return the lines that fit a model to the data."""
    if anchors is None:
        return f'model = dict(bbox_head=dict(num_classes={len(classes)}))'
    sides = ', '.join(f'{anchors.scale * stride:g}' for stride in anchors.strides)
    return (
        f'# anchors with sides of {sides} pixels of the input\n'
        'model = dict(\n'
        f'    neck=dict(num_outs={len(anchors.strides)}),\n'
        '    bbox_head=dict(\n'
        f'        num_classes={len(classes)},\n'
        f'        anchor_generator=dict(scales=[{anchors.scale:g}], strides={anchors.strides}),\n'
        '    ),\n'
        ')'
    )


def config_text(base: Base, data: Data, choices: Choices) -> str:
    """Return the config of a training.

    Args:
        base (Base): Model to start from, which ``base.py`` beside the config holds.
        data (Data): Data.
        choices (Choices): What the data and the machine suggest.
    """
    num_frames = int(base.config.model.bbox_head.get('num_frames', 3))
    return TEMPLATE.format(
        base=base,
        data=data,
        made=choices,
        plan=choices.schedule,
        work_dir=str(Path(data.train_file).parent / 'training'),
        num_frames=num_frames,
        overlap=min(1, num_frames - 1),
        persistent=choices.num_workers > 0,
        model=model_text(data.classes, choices.anchors),
        rate=SAME_CLASSES_RATE if has_classes(base, data.classes) else base.learning_rate,
        clip_steps=''.join(f'    {step!r},\n' for step in base.clip_steps),
    )


def has_classes(base: Base, classes: Sequence[str]) -> bool:
    """Return whether a training starts from a checkpoint with these classes in this order."""
    return bool(base.weights) and list(base.classes) == list(classes)


def check_no_config(folder: Path) -> None:
    """Check that :func:`write_config` would not replace a config in a folder.

    Raises:
        ValueError: If there is one.
    """
    path = folder / 'config.py'
    if path.exists():
        raise ValueError(
            f'{path} exists, and may have been changed; train it with "mmcico train {path}", or '
            'choose another folder by --out'
        )


def write_config(folder: Path, base: Base, data: Data, choices: Choices) -> Path:
    """Write ``config.py`` and the model that it starts from, ``base.py``.

    Args:
        folder (Path): Where to.
        base (Base): Model to start from.
        data (Data): Data.
        choices (Choices): What the data and the machine suggest.

    Returns:
        Path: The config.

    Raises:
        ValueError: If the folder has a config.
    """
    check_no_config(folder)
    path = folder / 'config.py'
    head = f'# Model and runtime settings of {base.name}\n'
    write_whole(folder / 'base.py', head + base.config.pretty_text)
    write_whole(path, config_text(base, data, choices))
    return path
