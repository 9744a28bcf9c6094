"""The metric of video instance segmentation for MMEngine's loops."""

import logging
from collections.abc import Sequence
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

from mmcico.registry import METRICS

from .figures import GROUPS, format_table
from .file_metrics import long_video_ids
from .results_file import (
    Record,
    append_record,
    find_parts,
    part_path,
    read_part,
    save_metrics,
    save_results,
    unique_records,
)
from .samples import read_clip
from .video_results import VideoResults
from .vis_json import GroundTruth, read_ground_truth, read_results
from .ytvis_eval import check_long_videos, evaluate


@METRICS.register_module()
class VISMetric(BaseMetric):
    """Average precision of tracks, and the files that servers take.

    Clips come one after the other; masks are run-length encoded at once, and
    a video is written to ``<outdir>/results.rank<r>.jsonl`` when its last
    frame has come, so that a test which is cut short loses nothing it had
    finished (``merge_parts`` makes a submission of it). At the end there are
    ``results.json``, ``submission.zip`` and, with ground truth,
    ``metrics.json`` in ``outdir``.

    Args:
        ann_file (str, optional): Ground truth in the layout of YouTube-VIS,
            or CocoVID. Without it, or when it has no annotations, only the
            files of results are written.
        metric (str): ``'ytvis'``; ``'ovis'`` for figures by occlusion too;
            ``'ytvis2022'`` for short and long videos on their own.
        long_videos (str, optional): For ``'ytvis2022'``, a JSON file: a list
            of the ids of the long videos, or their ground truth alone.
            Without it, long videos are told by their frames
            (``looks_long``).
        outdir (str, optional): Folder for the files. ``tools/test.py`` sets
            it to the work folder. Without it nothing is written.
        format_only (bool): Do not measure even with ground truth.
        collect_device (str): As in ``BaseMetric``. Results travel as objects
            by whatever backend the processes use.
        prefix (str, optional): Of the names in logs; ``'youtube_vis'`` when
            left out.

    Raises:
        ValueError: If the arguments do not fit together.
    """

    default_prefix: str | None = 'youtube_vis'

    def __init__(
        self,
        ann_file: str | None = None,
        metric: str = 'ytvis',
        long_videos: str | None = None,
        outdir: str | None = None,
        format_only: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if metric not in GROUPS:
            raise ValueError(f'VISMetric: metric is {metric!r}; known are {", ".join(GROUPS)}')
        check_long_videos(metric, long_videos)
        if ann_file is not None and not Path(ann_file).is_file():
            raise ValueError(f'VISMetric: ann_file {ann_file} does not exist')
        if outdir is None and (ann_file is None or format_only):
            raise ValueError(
                'VISMetric: there is nothing to do without ann_file (or with '
                'format_only) and without outdir; set outdir to a folder'
            )
        self.ann_file = ann_file
        self.metric = metric
        self.long_videos = long_videos and long_video_ids(long_videos)
        self.outdir = outdir
        self.format_only = format_only or ann_file is None
        self._started = False
        self._videos: dict[Any, VideoResults] = {}
        self._finished: set = set()

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take clips with final results.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): ``TrackDataSample.to_dict()``:
                ``video_data_samples`` with ``pred_track_instances``, and
                ``clip_instances``, the clip's vote on each track. Without
                the latter each frame is a vote.

        Raises:
            ValueError: If frames come twice or are missing at the end of a
                video, or fields are missing or of the wrong size.
        """
        if not self._started:
            self._start()
        for sample in data_samples:
            for video_id in read_clip(sample, self._video):
                if self._videos[video_id].reached_end:
                    self._finish_video(video_id)

    def _start(self) -> None:
        """Begin a run: remove what an earlier one left."""
        self._category_ids()
        if self.outdir is not None:
            Path(self.outdir).mkdir(parents=True, exist_ok=True)
            for rank, path in find_parts(self.outdir).items():
                if rank == get_rank() or (is_main_process() and rank >= get_world_size()):
                    path.unlink()
            part_path(self.outdir, get_rank()).touch()
        elif not read_ground_truth(self.ann_file).has_annotations:
            # no error: this may be a validation in the midst of a training
            print_log(
                f'VISMetric: {self.ann_file} has no annotations, so results '
                'can only be written, and there is no outdir to write them '
                'to; set outdir to a folder',
                logger='current',
                level=logging.WARNING,
            )
        self._started = True

    def _category_ids(self) -> Sequence[Any]:
        """label -> category id of the data set."""
        ids = (self.dataset_meta or {}).get('category_ids')
        if ids is None:
            raise ValueError(
                'VISMetric: metainfo of the data set has no category_ids '
                '(label -> category id of the annotation file); use '
                'mmcico.VISDataset or add category_ids to its metainfo'
            )
        return ids

    def _video(self, video_id: Any, length: int) -> VideoResults:
        """The accumulator of a video."""
        if video_id in self._finished:
            raise ValueError(
                f'video {video_id}: results came twice: more frames arrived '
                'after its last one; test each video once, clips in order'
            )
        if video_id not in self._videos:
            self._videos[video_id] = VideoResults(video_id, length)
        return self._videos[video_id]

    def _finish_video(self, video_id: Any) -> None:
        results = self._videos[video_id].finish(self._category_ids())
        record = dict(video_id=video_id, results=results)
        if self.outdir is None:
            self.results.append(record)
        else:
            append_record(part_path(self.outdir, get_rank()), record)
        del self._videos[video_id]
        self._finished.add(video_id)

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the processes' videos, write files and measure.

        Args:
            size (int): Length of the data set; not needed, a video knows its
                length.

        Returns:
            dict[str, float]: The same on all processes.

        Raises:
            ValueError: On all processes, if a video is incomplete or the
                ground truth does not fit.
            OSError: On all processes, if one cannot write to ``outdir``.
        """
        gathered = gather_object(self._own_records(), dst=0)
        answer: list[Any] = [None]
        if is_main_process():
            answer = [self._answer(gathered)]
        broadcast_object_list(answer)
        metrics, error = answer[0]
        if error is None and self.outdir is not None:
            part_path(self.outdir, get_rank()).unlink()
        self.results.clear()
        self._videos.clear()
        self._finished.clear()
        self._started = False
        if error is not None:
            raise error
        return {f'{self.prefix}/{key}': metrics[key] for key in metrics}

    def _own_records(self) -> tuple[list[Record], Exception | None]:
        """Finished videos of this process, or what is wrong with them."""
        try:
            if not self._started:  # a process without any video
                self._start()
            for video_id in list(self._videos):  # raises: its end is missing
                self._finish_video(video_id)
            if self.outdir is None:
                return self.results, None
            return read_part(part_path(self.outdir, get_rank())), None
        except (ValueError, OSError) as error:
            return [], _to_send(error)

    def _answer(
        self, gathered: Sequence[tuple[list[Record], Exception | None]]
    ) -> tuple[dict[str, float], Exception | None]:
        """Figures or an error, which all processes raise."""
        for _, error in gathered:
            if error is not None:
                return {}, error
        records = [record for part, _ in gathered for record in part]
        try:
            return self.compute_metrics(records), None
        except (ValueError, OSError) as error:
            return {}, _to_send(error)

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Write files and measure.

        Args:
            results (list[dict]): ``video_id`` and ``results`` of videos; of
                equal ids the first counts.

        Returns:
            dict[str, float]: Figures in 0..1; those without ground truth are
            left out. Empty when nothing is measured.
        """
        records = unique_records(results)
        if self.outdir is not None:
            save_results(self.outdir, records)
            print_log(
                f'results of {len(records)} videos: {self.outdir}/results.json, submission.zip',
                logger='current',
            )
        if self.format_only:
            print_log(
                'nothing is measured: VISMetric has no ann_file, or format_only', logger='current'
            )
            return {}
        truth = read_ground_truth(self.ann_file)
        if not truth.has_annotations:
            print_log(
                f'nothing is measured: {self.ann_file} has no annotations; '
                'official val and test files are measured by the server: '
                'send it submission.zip',
                logger='current',
            )
            return {}
        self._warn(truth, records)
        tracks = read_results([track for record in records for track in record['results']], truth)
        metrics = evaluate(truth, tracks, self.metric, long_videos=self.long_videos)
        if self.outdir is not None:
            save_metrics(Path(self.outdir) / 'metrics.json', metrics)
        print_log('\n' + format_table(metrics), logger='current')
        return {key: value for key, value in metrics.items() if isinstance(value, float)}

    def _warn(self, truth: GroundTruth, records: list[Record]) -> None:
        """Say what makes the figures less than they seem."""
        absent = set(truth.video_index) - {str(r['video_id']) for r in records}
        if absent:
            print_log(
                f'{len(absent)} of {len(truth.videos)} videos of {truth.name} '
                'were not tested; their objects count as missed',
                logger='current',
                level=logging.WARNING,
            )
        if self.metric == 'ovis' and truth.without_occlusion:
            print_log(
                f'{truth.without_occlusion} annotations of {truth.name} have '
                'no field occlusion; they count as not occluded',
                logger='current',
                level=logging.WARNING,
            )


def _to_send(error: Exception) -> Exception:
    """An error with its text alone, which any process can unpack."""
    if isinstance(error, OSError):
        return OSError(
            f'VISMetric: {error}; outdir must be a folder that can be written, with space left'
        )
    return ValueError(str(error))
