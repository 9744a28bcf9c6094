"""Data set of annotated videos."""

import copy
import logging
from collections.abc import Sequence
from typing import Any

import mmdet.datasets  # noqa: F401  bare types of configs live there
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.categories import category_labels, expected_names, normalised
from mmcico.formats.problems import counted
from mmcico.formats.read import read_annotations
from mmcico.registry import DATASETS

from .clip_windows import check_window, clip_windows
from .transforms.loading import LazyFrames, UnreadableImageError
from .transforms.suited import check_sharing, check_transforms


@DATASETS.register_module()
class VISDataset(BaseDataset):
    """Clips of YouTube-VIS 2019, 2021, 2022, OVIS, files in their layout and CocoVID.

    Official JSON is read unchanged. Classes are matched by category id. In training, there is one
    item for each frame with an object, which is the query frame of a clip; in testing, one for each
    clip window of each video, in order.

    Args:
        ann_file (str): Annotation JSON, relative to ``data_root``.
        data_root (str): Folder of the data set.
        data_prefix (dict): ``img`` is the folder of the frames, relative to ``data_root``.
        dataset_version (str, optional): ``'2019'``, ``'2021'``, ``'2022'`` or ``'ovis'``: the file
            must have the classes of this data set.
        num_frames (int, optional): T. With None, for tests alone, each video is one clip.
        overlap (int): To, test time only.
        completion (str): See :func:`clip_windows`, test time only.
        metainfo (dict, optional): ``classes`` are the names to use, in this order; all of the
            file's, in the order of their ids, when left out. Objects of other classes are left out.
        filter_cfg (dict, optional): With ``filter_empty_gt=False``, frames without objects are
            query frames, too.
        crowds_as_objects (bool): Take ``iscrowd`` as 0; CVAT sets it for single objects, too.
        skip_unreadable (bool): In training, leave out clips with an image that is missing or
            broken. Each such image is logged and counted. When False, the first one ends the
            training.
        allow_outside (bool): Allow images outside the image folder: absolute paths, ``..``, links
            that lead out of it, URLs, and files that are no regular ones.
        test_mode (bool): Windows instead of query frames.
        **kwargs: As of MMEngine's ``BaseDataset``.

    Raises:
        ValueError: If the file is not sound, a class is not found, a transform is not for clips,
            or ``num_frames`` is None in training.
    """

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict = dict(img=''),
        dataset_version: str | None = None,
        num_frames: int | None = 3,
        overlap: int = 1,
        completion: str = 'shift',
        metainfo: dict | None = None,
        filter_cfg: dict | None = None,
        test_mode: bool = False,
        crowds_as_objects: bool = False,
        skip_unreadable: bool = False,
        allow_outside: bool = False,
        **kwargs: Any,
    ) -> None:
        check_window(num_frames, overlap, completion)
        if num_frames is None and not test_mode:
            raise ValueError(
                'VISDataset: num_frames=None (clips of whole videos) needs test_mode=True; '
                'give the number of frames of a clip for training'
            )
        expected_names(dataset_version)
        self.dataset_version = dataset_version
        self.num_frames = num_frames
        self.overlap = overlap
        self.completion = completion
        self.crowds_as_objects = crowds_as_objects
        self.skip_unreadable = skip_unreadable
        self.allow_outside = allow_outside
        self.unreadable: set[str] = set()
        self._file: AnnotationFile | None = None
        self._labels: dict = {}
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            filter_cfg=filter_cfg,
            test_mode=test_mode,
            **kwargs,
        )
        check_transforms(self.pipeline.transforms)
        if not test_mode:
            check_sharing(self.pipeline.transforms)

    @property
    def metainfo(self) -> dict:
        """``classes``, ``category_ids`` and the entries that the config adds.

        The annotation file is read for them if it was not: MMEngine's wrappers ask for them before
        the data set is used.
        """
        self._read()
        return copy.deepcopy(self._metainfo)

    def _read(self) -> AnnotationFile:
        """Return the file, which is read once and kept beside the list of clips."""
        if self._file is None:
            if not self.ann_file:
                raise ValueError('VISDataset needs ann_file, the annotation JSON')
            file = read_annotations(self.ann_file, crowds_as_objects=self.crowds_as_objects)
            self._number_classes(file, self._metainfo.get('classes'))
            self._file = file
            self._report(file)
        return self._file

    def _number_classes(self, file: AnnotationFile, classes: Sequence[str] | None) -> None:
        """Assign labels to the classes."""
        expected = expected_names(self.dataset_version)
        self._labels, names, category_ids = category_labels(file, classes, expected)
        self._metainfo.update(classes=names, category_ids=category_ids)

    def _report(self, file: AnnotationFile) -> None:
        """Log what was kept and left out, and possible mistakes."""
        others = sum(t.category_id not in self._labels for v in file.videos for t in v.tracks)
        also = f'; not used: {counted({"objects of other classes": others})}' if others else ''
        print_log(file.summary() + also, logger='current', level=logging.INFO)
        for text in file.warnings:
            print_log(text, logger='current', level=logging.WARNING)

    def match_classes(self, classes: Sequence[str], owner: str) -> bool:
        """Assign the labels of a model to the classes.

        Args:
            classes (Sequence[str]): Names in the order of the labels.
            owner (str): Owner of these classes, for messages.

        Returns:
            bool: Whether labels changed.

        Raises:
            ValueError: If the names are not the same.
        """
        file = self._read()
        own, theirs = (
            [normalised(name) for name in each] for each in (self._metainfo['classes'], classes)
        )
        if own == theirs:
            return False
        if sorted(own) != sorted(theirs):
            raise ValueError(
                f'{self.ann_file} has other classes than {owner}: without '
                f'{sorted({*theirs} - {*own})}, with {sorted({*own} - {*theirs})} in addition; '
                'choose classes by metainfo=dict(classes=...) of the data set, or rename them'
            )
        self._number_classes(file, tuple(classes))
        return True

    @property
    def videos(self) -> list[AnnotatedVideo]:
        """Videos in the order of the file."""
        return self._read().videos

    def load_data_list(self) -> list[dict]:
        """Return one item for each query frame or clip."""
        self._read()
        settings = self.num_frames, self.overlap, self.completion
        if not self.test_mode:
            return [
                dict(video=v, key_frame_id=frame)
                for v, video in enumerate(self.videos)
                for frame in range(video.length)
            ]
        return [
            dict(video=v, key_frame_id=window.frame_ids[0], **window._asdict())
            for v, video in enumerate(self.videos)
            for window in clip_windows(video.length, *settings)
        ]

    def filter_data(self) -> list[dict]:
        """Leave out query frames without objects."""
        keep_empty = not (self.filter_cfg or {}).get('filter_empty_gt', True)
        if self.test_mode or keep_empty:
            return self.data_list
        kept = [item for item in self.data_list if self._has_objects(item)]
        if not kept:
            raise ValueError(
                f'{self.ann_file}: no frame of its {len(self.videos)} videos shows an object of '
                f'the classes {self._metainfo["classes"]}; training needs annotations (official '
                'valid and test files have none) that are no crowds (iscrowd = 1); '
                f'{self._read().summary()}'
            )
        return kept

    def _has_objects(self, item: dict) -> bool:
        """Return whether an object of a known class is seen in the query frame."""
        return any(
            track.seen(item['key_frame_id'])
            and not track.iscrowd
            and track.category_id in self._labels
            for track in self.videos[item['video']].tracks
        )

    def get_data_info(self, idx: int) -> dict:
        """Return the input of the pipeline for an item.

        Returns:
            dict: ``video_id``, ``video_length``, ``height``, ``width``, ``frames`` (a dict for each
            frame of the video with ``img_path``, ``frame_id``, ``img_id``, ``height``, ``width``
            and ``instances``), ``num_frames``, ``key_frame_id``; at test time also the fields of
            :class:`Window`.
        """
        info = super().get_data_info(idx)
        video = self.videos[info.pop('video')]
        folder = self.data_prefix.get('img', '')
        info.update(
            video_id=video.id,
            video_length=video.length,
            height=video.height,
            width=video.width,
            num_frames=self.num_frames,
            frames=LazyFrames(video, folder, self._labels, self.allow_outside),
        )
        return info

    def prepare_data(self, idx: int) -> Any:
        """Return the clip of an item, None for one that is left out."""
        try:
            return super().prepare_data(idx)
        except UnreadableImageError as error:
            if self.test_mode or not self.skip_unreadable:
                raise
            if error.path not in self.unreadable:
                self.unreadable.add(error.path)
                print_log(
                    f'{error}; its clips are left out ({len(self.unreadable)} unreadable images '
                    'so far in this process)',
                    logger='current',
                    level=logging.WARNING,
                )
            return None

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in the query frame, for ``ClassBalancedDataset``."""
        info = self.get_data_info(idx)
        frame = info['frames'][info['key_frame_id']]
        return [each['bbox_label'] for each in frame['instances'] if not each['ignore_flag']]

    def video_of(self, idx: int) -> int:
        """Return the index of the video that the clip of an item belongs to."""
        return super().get_data_info(idx)['video']
