"""What validation and testing write: metrics and drawings."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import mmcv
from mmdet.engine.hooks import TrackVisualizationHook
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.dist import get_world_size, master_only
from mmengine.fileio import get
from mmengine.hooks import LoggerHook
from mmengine.runner import Runner

from mmcico.registry import HOOKS
from mmcico.utils.files import distinct


@HOOKS.register_module()
class MasterLoggerHook(LoggerHook):
    """Writes the metrics of a test in the first process alone.

    MMEngine's ``LoggerHook`` writes ``<work_dir>/<timestamp>/<timestamp>.json`` in every process.
    Their times differ, so that the file may end with a part of another process's text.
    """

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the metrics; see ``LoggerHook``."""
        super().after_test_epoch(runner, metrics)


@HOOKS.register_module()
class ClipVisualizationHook(TrackVisualizationHook):
    """Draws every n-th frame of each video; no two videos share a name.

    Of several processes, the first one draws, as all of MMEngine's visualizers do.

    MMDetection's ``TrackVisualizationHook`` accepts the same results, but names folders by the
    third last part of a path, which is the same for all videos in the layout of YouTube-VIS, and
    nests its output folder once more in every step if the work folder is relative.

    Args:
        **kwargs: Arguments of ``TrackVisualizationHook``: ``draw``, ``frame_interval`` (n, 30 by
            default), ``score_thr``, ``show``, ``wait_time``, ``test_out_dir`` (below
            ``<work_dir>/<timestamp>``), ``backend_args``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._names: dict[tuple[str, Any], str] = {}
        self._seen: dict[str, int] = {}

    def before_run(self, runner: Runner) -> None:
        """Warn that other processes draw nothing."""
        number = get_world_size()
        if self.draw and number > 1:
            runner.logger.warning(
                f'MMEngine draws in the first of the {number} processes alone, so that the videos '
                'of the others are not drawn; "mmcico visualize" draws all of a results.json'
            )

    def before_test(self, runner: Runner) -> None:
        """Log which frames are drawn, and where."""
        if self.draw and self.test_out_dir is not None:
            frames = 'all frames'
            if self.frame_interval > 1:
                frames = (
                    f'one frame of {self.frame_interval} (frames 0, {self.frame_interval}, ...; '
                    '--show-interval 1 draws all)'
                )
            runner.logger.info(f'drawing {frames} of each video into {self._folder(runner)}')

    def _folder(self, runner: Runner) -> str:
        return osp.join(runner.work_dir, runner.timestamp, self.test_out_dir)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[TrackDataSample]
    ) -> None:
        """Draw the frames that are final now to the visualizer's backends."""
        self._draw(outputs, None, runner.iter)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[TrackDataSample]
    ) -> None:
        """Draw the frames that are final now, to files if there is a folder for them."""
        folder = None if self.test_out_dir is None else self._folder(runner)
        self._draw(outputs, folder, batch_idx)

    def _draw(self, outputs: Sequence[TrackDataSample], folder: str | None, step: int) -> None:
        """Draw every ``frame_interval``-th frame."""
        if not self.draw:
            return
        for sample in outputs:
            for frame in sample.video_data_samples:
                if frame.frame_id % self.frame_interval == 0:
                    self._draw_frame(frame, folder, step)

    def _name(self, frame: DetDataSample) -> str:
        """Return the folders of a video's frames below the image folder, as one distinct name."""
        folder = osp.dirname(frame.img_path)
        key = folder, frame.get('video_id')
        if key not in self._names:
            # MMDetection's frames have no img_name
            name = osp.dirname(frame.get('img_name', '')) or osp.basename(folder)
            self._names[key] = distinct(name, self._seen)
        return self._names[key]

    def _draw_frame(self, frame: DetDataSample, folder: str | None, step: int) -> None:
        """Draw one frame to a file, a window or the visualizer's backends."""
        data = get(frame.img_path, backend_args=self.backend_args)
        name = osp.join(self._name(frame), osp.basename(frame.img_path))
        self._visualizer.add_datasample(
            # backends turn it into a file name without folders
            osp.splitext(name)[0].replace(osp.sep, '_'),
            mmcv.imfrombytes(data, channel_order='rgb'),
            data_sample=frame,
            draw_gt=False,
            show=self.show,
            wait_time=self.wait_time,
            out_file=None if folder is None else osp.join(folder, name),
            pred_score_thr=self.score_thr,
            step=step,
        )
