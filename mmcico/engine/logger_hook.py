"""Log of one process."""

from mmengine.dist import master_only
from mmengine.hooks import LoggerHook
from mmengine.runner import Runner

from mmcico.registry import HOOKS


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
