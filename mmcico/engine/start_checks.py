"""Checks at the start: whether data, evaluator, weights and schedule fit the model and training."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner

from mmcico.datasets import VISDataset
from mmcico.datasets.transforms.suited import check_sharing, check_transforms
from mmcico.formats.categories import normalised, read_categories
from mmcico.formats.cocovid import is_cocovid
from mmcico.formats.fields import id_key
from mmcico.formats.problems import Problems
from mmcico.formats.read import load_json
from mmcico.registry import HOOKS
from mmcico.utils.weights import check_fit, unwrapped

#: where models have the head that classifies: ours, MaskTrack R-CNN, Mask2Former-VIS
HEADS = ('bbox_head', 'detector.roi_head.bbox_head', 'track_head')


@HOOKS.register_module()
class WeightsFitHook(Hook):
    """Refuse to test or validate with weights that do not fit the model.

    A training may begin with weights of a part of the model, so that nothing is checked there.

    Args:
        allow_partial (bool): Whether weights that do not fit are accepted. Defaults to False.
    """

    def __init__(self, allow_partial: bool = False) -> None:
        self.allow_partial = allow_partial

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the weights with the model before they are loaded.

        Raises:
            ValueError: If parts of the network are missing or have another shape.
        """
        if isinstance(runner.optim_wrapper, BaseOptimWrapper):  # built by a training alone
            return
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {re.sub('^module[.]', '', name): value for name, value in weights.items()}
        check_fit(unwrapped(runner.model), weights, str(runner._load_from), self.allow_partial)


@HOOKS.register_module()
class ScheduleCheckHook(Hook):
    """Warn at the start of a training that is too short for its schedule."""

    def before_train(self, runner: Runner) -> None:
        """Compare the ends and milestones of the schedulers with the length of the training."""
        schedulers = runner.param_schedulers
        groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
        for scheduler in (each for group in groups for each in group):
            length = runner.max_epochs if scheduler.by_epoch else runner.max_iters
            unit = 'epochs' if scheduler.by_epoch else 'steps'
            milestones = getattr(scheduler, 'milestones', {})
            # PyTorch's "no end" is a number that no training reaches
            ends = [*milestones] or ([scheduler.end] if scheduler.end < 10**9 else [])
            late = [each for each in ends if each > length]
            if late:
                rising = getattr(scheduler, 'start_factor', 1) < getattr(scheduler, 'end_factor', 1)
                runner.logger.warning(
                    f'the training has {length} {unit}, but {type(scheduler).__name__} of '
                    f'param_scheduler reaches {"a milestone" if milestones else "its last value"} '
                    f'only at {", ".join(map(str, late))}'
                    f'{", so that the learning rate never gets as high as it is set" * rising}: '
                    'shorten "param_scheduler", or train longer'
                )


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Compare classes before the first step.

    - The head must have as many classes as the data set. MMDetection's ``NumClassCheckHook`` checks
      that by an assertion that does not say how to mend it.
    - Validation and test sets number their classes as the training set or
      the checkpoint does; they are matched by name. Other names are refused.
    - The evaluator's file must have the ids and names of the data set, and
      the same frames in videos of the same id.
    - A training that is resumed, or starts from a checkpoint with the same
      names, must number them as the checkpoint does.

    Transforms of a ``MultiImageMixDataset`` around a data set of clips are checked as those of the
    data set itself, since MMDetection's wrapper does not check them.

    Args:
        check_names (bool): Compare names and ids, too; with False, only the number of classes.
    """

    def __init__(self, check_names: bool = True) -> None:
        self.check_names = check_names
        self.loaded: tuple[str, ...] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the classes of the checkpoint."""
        meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
        known = (meta or {}).get('dataset_meta') or {}
        classes = known.get('classes') or known.get('CLASSES')
        self.loaded = tuple(map(str, classes)) if isinstance(classes, (list, tuple)) else None

    def before_train(self, runner: Runner) -> None:
        """Compare with the training set, and that with the validation set."""
        dataset: Any = runner.train_dataloader.dataset
        if isinstance(dataset.metainfo, list):  # of a ConcatDataset whose parts differ
            dataset._metainfo = dataset.metainfo[0]
        for each, around in with_wrappers(dataset):
            check_number(runner, each)
            if isinstance(each, VISDataset):
                check_transforms(each.pipeline.transforms, around)
                check_sharing(around)
        classes = dataset.metainfo.get('classes')
        if not self.check_names or classes is None:
            return
        for each in base_datasets(dataset):
            compare(each.metainfo.get('classes'), classes, 'a part of the training set')
        if self.loaded is not None:
            resumed = getattr(runner, '_resume', False)
            if resumed or sorted(map(normalised, self.loaded)) == sorted(map(normalised, classes)):
                compare(classes, self.loaded, 'the training set', 'the checkpoint')
        if hasattr(getattr(runner, 'val_dataloader', None), 'dataset'):
            self._match(runner, 'val', classes, 'the training set')

    def before_val(self, runner: Runner) -> None:
        """Compare with the validation set."""
        check_number(runner, runner.val_dataloader.dataset)
        if self.check_names:
            self._match(runner, 'val', self._reference(runner), 'the model')

    def before_test(self, runner: Runner) -> None:
        """Compare with the test set."""
        check_number(runner, runner.test_dataloader.dataset)
        if self.check_names:
            self._match(runner, 'test', self.loaded, 'the checkpoint')

    def _reference(self, runner: Runner) -> Sequence[str] | None:
        """Return the classes of the training set, or of the checkpoint."""
        dataset = getattr(getattr(runner, 'train_dataloader', None), 'dataset', None)
        return self.loaded if dataset is None else dataset.metainfo.get('classes')

    @staticmethod
    def _match(runner: Runner, stage: str, classes: Sequence[str] | None, owner: str) -> None:
        """Let a data set number its classes as the model does."""
        dataset = getattr(runner, f'{stage}_dataloader').dataset
        evaluator: Any = getattr(runner, f'{stage}_evaluator', None)
        if classes is not None:
            for each in base_datasets(dataset):
                if not hasattr(each, 'match_classes'):
                    compare(each.metainfo.get('classes'), classes, f'the {stage} set', owner)
                elif each.match_classes(classes, owner):
                    runner.logger.info(
                        f'{each.ann_file} numbers its classes in another order than {owner}; '
                        'they are matched by name'
                    )
                    if hasattr(evaluator, 'dataset_meta'):
                        evaluator.dataset_meta = dataset.metainfo
                    runner.visualizer.dataset_meta = dataset.metainfo
        for metric in getattr(evaluator, 'metrics', []):
            check_evaluator(getattr(metric, 'ann_file', None), dataset)


def with_wrappers(dataset: Any, around: Sequence[Any] = ()) -> Iterator[tuple[Any, list[Any]]]:
    """Yield the data sets inside of wrappers, each with the transforms of the wrappers in order."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset, [*around]
        return
    for each in inner:
        yield from with_wrappers(each, [*getattr(dataset, 'pipeline', ()), *around])


def base_datasets(dataset: Any) -> list[Any]:
    """Return the data sets inside of wrappers."""
    return [each for each, _ in with_wrappers(dataset)]


def check_number(runner: Runner, dataset: Any) -> None:
    """Compare the number of classes of the head and a data set.

    Raises:
        ValueError: If they differ, naming both.
    """
    classes = dataset.metainfo.get('classes')
    name, expected = _classes_of_head(unwrapped(runner.model))
    if classes is None or expected in (None, len(classes)):
        return
    raise ValueError(
        f'the model has {expected} classes, the data set {len(classes)}: {tuple(classes)}; set '
        f'model.{name}.num_classes={len(classes)}, or choose classes by metainfo=dict(classes=...) '
        'of the data sets'
    )


def _classes_of_head(model: Any) -> tuple[str, int | None]:
    """Return the place of the head that classifies and its number of classes, None if unknown."""
    for name in HEADS:
        path = f'{name}.num_classes'.split('.')
        number = reduce(lambda part, each: getattr(part, each, None), path, model)
        if number is not None:
            return name, number
    return HEADS[0], None


def compare(
    classes: Sequence[str] | None,
    expected: Sequence[str],
    owner: str,
    expected_owner: str = 'the training set',
) -> None:
    """Compare the names of classes and their order.

    Raises:
        ValueError: If they differ, with the setting that mends it.
    """
    if classes is None or [*map(normalised, classes)] == [*map(normalised, expected)]:
        return
    raise ValueError(
        f'{owner} has the classes {tuple(classes)}, {expected_owner} {tuple(expected)}; labels '
        f'would have other meanings. Set metainfo=dict(classes={tuple(expected)}) of the data sets'
    )


def check_evaluator(path: Any, dataset: Any) -> None:
    """Compare the file of an evaluator with the data set by ids and names.

    Raises:
        ValueError: If a class of the data set has another id or name there, or a video other
            frames.
    """
    meta = dataset.metainfo
    own = getattr(dataset, 'ann_file', None)
    if not isinstance(path, (str, Path)) or 'category_ids' not in meta or not own:
        return
    if Path(path).resolve() == Path(own).resolve():
        return
    data = load_json(path)
    records = data.get('categories') if isinstance(data, dict) else None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        return  # the evaluator says what is wrong with its file
    known = {id_key(key): name for key, name in read_categories(records, Problems(str(path)))[0]}
    for key, name in zip(meta['category_ids'], meta['classes']):
        found = known.get(id_key(key))
        if found is None or normalised(found) != normalised(name):
            raise ValueError(
                f'the evaluator measures against {path}, where category {key!r} is {found!r}; the '
                f'data set {own} has {name!r} there. Use the same ann_file for both'
            )
    frames = {id_key(video.id): video.file_names for video in getattr(dataset, 'videos', [])}
    videos = data.get('videos')
    for video in videos if isinstance(videos, list) else []:
        names: list[str] = video.get('file_names') or [] if isinstance(video, dict) else []
        mine = frames.get(id_key(video.get('id'))) if names else None
        pairs = zip_longest(names, mine or names)
        other = next((p for p in pairs if _frame_key(p[0]) != _frame_key(p[1])), None)
        if other:
            raise ValueError(
                f'the evaluator measures against {path}, whose video {video["id"]!r} has the frame '
                f'{other[0]!r} where the one of the data set {own} has {other[1]!r}; results would '
                'be compared with another video. Use the same ann_file for both'
            )
    _compare_objects(data, path, dataset)


def _compare_objects(data: dict, path: str | Path, dataset: Any) -> None:
    """Warn if videos of the same id have other numbers of objects; frames may have equal names."""
    own = {id_key(video.id): len(video.tracks) for video in getattr(dataset, 'videos', [])}
    annotations = data.get('annotations')
    if is_cocovid(data) or not isinstance(annotations, list) or not any(own.values()):
        return
    found = Counter(id_key(each.get('video_id')) for each in annotations if isinstance(each, dict))
    other = [key for key in own if key in found and found[key] != own[key]]
    if other:
        print_log(
            f'the evaluator measures against {path}, where video {other[0]} has {found[other[0]]} '
            f'objects; the data set {dataset.ann_file} has {own[other[0]]} there, and '
            f'{len(other)} of {len(own)} videos differ: do the files belong together?',
            logger='current',
            level=logging.WARNING,
        )


def _frame_key(name: Any) -> tuple[str, ...]:
    """Return folder and stem of a frame: the same frames may be below another folder, or PNGs."""
    path = PurePosixPath(str(name).replace('\\', '/'))
    return path.parent.name, path.stem
