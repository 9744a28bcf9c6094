"""The metric of video instance segmentation for MMEngine's loops."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.dist import (
    broadcast_object_list,
    gather_object,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmcico.formats.fields import id_key
from mmcico.formats.results import unique_records
from mmcico.registry import METRICS

from .figures import format_table
from .ground_truth import GroundTruth, long_video_ids, read_ground_truth, read_results
from .results_file import RUN, Part, Record, open_part, save_metrics, save_results
from .samples import read_clip
from .tracking import format_tracking, require_trackeval, tracking_figures
from .video_results import VideoResults
from .ytvis_eval import evaluate, groups_of


@METRICS.register_module()
class VISMetric(BaseMetric):
    """Average precision of tracks, and the files that evaluation servers accept.

    Masks of each clip are run-length encoded at once. A finished video is written to
    ``<outdir>/results.rank<r>.jsonl``, so that an interrupted test loses no finished video
    (``tools/test.py --resume`` continues it, ``merge_parts`` makes a submission of it). At the end,
    ``outdir`` holds ``results.json``, ``submission.zip`` and, with ground truth, ``metrics.json``.
    Two tests at the same time need two folders; the second one ends with an error.

    Args:
        ann_file (str, optional): Ground truth in the layout of YouTube-VIS or CocoVID. Without it,
            or if it has no annotations, only the files of results are written.
        metric (str): ``'ytvis'``; ``'ovis'`` for figures by occlusion too; ``'ytvis2022'`` for
            separate figures of short and long videos.
        long_videos (str, optional): For ``'ytvis2022'``, a JSON file with a list of the ids of
            the long videos, or their ground truth alone. If left out, file names and lengths of
            the videos decide (see ``is_long``).
        outdir (str, optional): Folder for the files; ``tools/test.py`` sets it to the work folder.
            Nothing is written if it is left out.
        format_only (bool): Whether to write files only, even with ground truth.
        tracking (bool): Whether to add the tracking metrics of TrackEval, such as HOTA.
        resume (bool): Whether to keep the videos that an interrupted test wrote to ``outdir``;
            the sampler must leave them out (``resume_from`` of ``VideoSampler``).
        fingerprint (str, optional): Names model and settings; only results with the same one are
            continued.
        collect_device (str): See ``BaseMetric``.
        prefix (str, optional): Prefix of the names in logs; ``'youtube_vis'`` if left out.
        crowds_as_objects (bool): Whether to take ``iscrowd`` of the ground truth as 0.

    Raises:
        ValueError: If the arguments do not fit together.
        ImportError: If ``tracking`` needs TrackEval, which is not installed.
    """

    default_prefix: str | None = 'youtube_vis'

    def __init__(
        self,
        ann_file: str | None = None,
        metric: str = 'ytvis',
        long_videos: str | None = None,
        outdir: str | None = None,
        format_only: bool = False,
        tracking: bool = False,
        resume: bool = False,
        fingerprint: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        crowds_as_objects: bool = False,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        groups_of(metric, long_videos)
        if ann_file is not None and not Path(ann_file).is_file():
            raise ValueError(f'VISMetric: ann_file {ann_file} does not exist')
        if outdir is None and (ann_file is None or format_only or resume):
            raise ValueError(
                'VISMetric: without ann_file, with format_only and with resume there is nothing '
                'to do without outdir; set outdir to a folder'
            )
        if tracking:
            require_trackeval()
        self.ann_file = ann_file
        self._read_truth = partial(read_ground_truth, crowds_as_objects=crowds_as_objects)
        self.metric = metric
        self.long_videos = long_videos and long_video_ids(long_videos)
        self.outdir = outdir
        self.format_only = format_only
        self.tracking = tracking
        self.resume = resume
        self.fingerprint = fingerprint
        self._reset()

    def _reset(self) -> None:
        self.results.clear()
        self._started = False
        self._part: Part | None = None
        self._videos: dict[Any, VideoResults] = {}
        self._finished: set = set()

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add clips with final results.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): Results of ``TrackDataSample.to_dict()``:
                ``video_data_samples`` with ``pred_track_instances``, and ``clip_instances``, the
                vote of the clip on each track. Without the latter, each frame is a vote, and of two
                predictions with the same id in a frame the better one counts.

        Raises:
            ValueError: If frames occur twice or are missing at the end of a video, or if fields
                are missing or have the wrong size.
        """
        if not self._started:
            self._start()
        for sample in data_samples:
            for video_id in read_clip(sample, self._video):
                if self._videos[video_id].reached_end:
                    self._finish_video(video_id)

    def _start(self) -> None:
        """Begin a test."""
        self._category_ids()
        if self.outdir is not None:
            self._part = open_part(
                self.outdir, get_rank(), get_world_size(), self.resume, self.fingerprint
            )
        elif self.ann_file and not self._read_truth(self.ann_file).has_annotations:
            # no error, because this may be a validation during a training
            _log(
                f'VISMetric: {self.ann_file} has no annotations, so nothing can be measured, and '
                'without outdir no results can be written; set outdir to a folder',
                logging.WARNING,
            )
        self._started = True

    def _category_ids(self) -> Sequence[Any]:
        """Return the category id of each label."""
        ids = (self.dataset_meta or {}).get('category_ids')
        if ids is None:
            raise ValueError(
                'VISMetric: metainfo of the data set has no category_ids (label -> category id of '
                'the annotation file); use mmcico.VISDataset or add category_ids to its metainfo'
            )
        return ids

    def _video(self, video_id: Any, length: int) -> VideoResults:
        """Return the accumulator of a video."""
        if video_id in self._finished:
            raise ValueError(
                f'video {video_id}: results came twice: more frames arrived '
                'after its last one; test each video once, clips in order'
            )
        if video_id not in self._videos:
            self._videos[video_id] = VideoResults(video_id, length)
        return self._videos[video_id]

    def _finish_video(self, video_id: Any) -> None:
        store = self.results if self._part is None else self._part
        store.append(self._videos[video_id].record(self._category_ids()))
        del self._videos[video_id]  # what has failed so far can be tried again
        self._finished.add(video_id)

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the videos of all processes, write files and measure.

        Args:
            size (int): Length of the data set; not used, since each video knows its length.

        Returns:
            dict[str, float]: The same figures on all processes.

        Raises:
            ValueError: If a video is incomplete or the ground truth does not fit. All processes
                raise it.
            OSError: If a process cannot write to ``outdir``. All processes raise it.
        """
        gathered = gather_object(_attempt(self._own_records), dst=0)
        answer: list[Any] = [None]
        if is_main_process():
            failed = [each for each in gathered if each[1] is not None]
            records = [record for part, _ in gathered for record in part]
            answer = failed[:1] or [_attempt(partial(self.compute_metrics, records))]
        broadcast_object_list(answer)
        metrics, error = answer[0]
        if self._part is not None:
            self._part.close(remove=error is None)
            if error is None and is_main_process():
                (self._part.path.parent / RUN).unlink(missing_ok=True)
        self._reset()
        if error is not None:
            raise error
        return {f'{self.prefix}/{key}': metrics[key] for key in metrics}

    def _own_records(self) -> list[Record]:
        """Return the finished videos of this process."""
        if not self._started:  # a process without any video
            self._start()
        for video_id in list(self._videos):  # raises, because their ends are missing
            self._finish_video(video_id)
        return self.results if self._part is None else self._part.records()

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Write files and measure.

        Args:
            results (list[dict]): ``video_id`` and ``results`` of videos; the first of equal ids
                counts.

        Returns:
            dict[str, float]: Figures in 0..1, without those that have no ground truth. Empty if
            nothing is measured.
        """
        records = unique_records(results)
        repeated = sum(each.get('num_repeated', 0) for each in records)
        if repeated:
            _log(
                f'{repeated} predictions are not used: the model gave several predictions of a '
                'frame the same instances_id, and the one with the best score counts',
                logging.WARNING,
            )
        if self.outdir is not None:
            save_results(self.outdir, records)
            _log(f'results of {len(records)} videos: {self.outdir}/results.json, submission.zip')
        if self.format_only or self.ann_file is None:
            _log('nothing is measured: VISMetric has no ann_file, or format_only')
            return {}
        truth = self._read_truth(self.ann_file)
        if not truth.has_annotations:
            _log(
                f'nothing is measured: {self.ann_file} has no annotations; official val and test '
                'files are measured by the server, which accepts submission.zip'
            )
            return {}
        self._warn(truth, records)
        return self._measure(truth, records)

    def _measure(self, truth: GroundTruth, records: list[Record]) -> dict[str, float]:
        tracks = read_results([track for record in records for track in record['results']], truth)
        metrics = evaluate(truth, tracks, self.metric, long_videos=self.long_videos)
        table = format_table(metrics)
        figures = {key: value for key, value in metrics.items() if isinstance(value, float)}
        if self.tracking:
            metrics['tracking'] = tracking_figures(truth, tracks)
            table += '\n\n' + format_tracking(metrics['tracking'])
            figures.update(metrics['tracking']['all'])
        if self.outdir is not None:
            save_metrics(Path(self.outdir) / 'metrics.json', metrics)
        _log('\n' + table)
        return figures

    def _warn(self, truth: GroundTruth, records: list[Record]) -> None:
        """Log what makes the figures less meaningful than they seem."""
        said = truth.warnings(self.metric)
        absent = set(truth.video_index) - {id_key(r['video_id']) for r in records}
        if absent:
            share = f'{len(absent)} of {len(truth.videos)} videos of {truth.name}'
            said.append(f'{share} were not tested; their objects count as missed')
        for text in said:
            _log(text, logging.WARNING)


def _log(text: str, level: int = logging.INFO) -> None:
    print_log(text, logger='current', level=level)


def _attempt(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Return a result and None, or nothing ({}) and an error with its text, which can be sent."""
    try:
        return work(), None
    except OSError as error:
        text = f'VISMetric: {error}; outdir must be a folder that can be written, with space left'
        return {}, OSError(text)
    except ValueError as error:
        return {}, ValueError(str(error))
