"""Drawing and writing beside the model."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from .clip_stream import FrameResult
from .outputs import ResultSink


class BackgroundSink(ResultSink):
    """Another sink, run in order in a thread of its own.

    OpenCV and PyAV let Python go on while they work, so that the model need
    not wait for pictures. Frames wait in a queue of fixed length.

    Args:
        sink (ResultSink): What does the work.
        length (int): Frames that may wait.
    """

    def __init__(self, sink: ResultSink, length: int = 4) -> None:
        self.sink = sink
        self.length = length
        self._waiting: deque[Future] = deque()
        self._pool = ThreadPoolExecutor(1, 'mmcico-writer')

    def write(self, result: FrameResult) -> None:
        """Hand over a frame.

        Raises:
            OSError: If it, or one before, could not be written.
        """
        self._wait_for(self.length - 1)
        self._waiting.append(self._pool.submit(self.sink.write, result))

    def close(self) -> None:
        """Wait for all frames, then finish.

        Raises:
            OSError: If one could not be written.
        """
        try:
            self._wait_for(0)
        finally:
            self._pool.shutdown()
            self.sink.close()

    def _wait_for(self, left: int) -> None:
        """Until no more than ``left`` frames wait."""
        while len(self._waiting) > left:
            self._waiting.popleft().result()
