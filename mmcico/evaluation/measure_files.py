"""Measure a results file against a ground truth file."""
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple, Union

from mmcico.utils.json_file import load_json
from .figures import Metrics
from .vis_json import open_ground_truth, open_results
from .vis_tables import GroundTruth
from .workers import no_garbage_collection
from .ytvis_eval import evaluate_entries


def measure_files(ground_truth: Union[str, Path],
                  results: Union[str, Path],
                  metric: str = 'ytvis',
                  long_videos: Optional[Sequence[Any]] = None,
                  processes: int = 1) -> Tuple[Metrics, GroundTruth]:
    """Read two files and measure; only one video at a time is in memory twice.

    Args:
        ground_truth (str | Path): Layout of YouTube-VIS, or CocoVID.
        results (str | Path): ``results.json``.
        metric (str): ``'ytvis'``, ``'ovis'`` or ``'ytvis2022'``.
        long_videos (Sequence, optional): Their ids, for ``'ytvis2022'``.
        processes (int): Share the videos among so many processes.

    Returns:
        tuple[dict, GroundTruth]: Figures as ``evaluate`` returns them, and
        the ground truth without its tracks.

    Raises:
        ValueError: If a file cannot be used, or has no annotations.
    """
    with no_garbage_collection():
        truth, annotations = open_ground_truth(ground_truth)
        if not truth.has_annotations:
            raise ValueError(
                f'{ground_truth} has no annotations, so there is nothing to '
                'measure against; send submission.zip to the server')
        predictions = open_results(results, truth)
        metrics = evaluate_entries(truth, annotations, predictions, metric,
                                   long_videos, processes)
    return metrics, truth


def long_video_ids(path: Union[str, Path]) -> List[Any]:
    """Ids of the long videos from a file.

    Args:
        path (str | Path): JSON: a list of ids, or ground truth of the long
            videos alone, as the server has it.

    Raises:
        ValueError: If it is neither.
    """
    content = load_json(path)
    if isinstance(content, dict) and isinstance(content.get('videos'), list):
        content = [
            each.get('id') if isinstance(each, dict) else each
            for each in content['videos']
        ]
    if not isinstance(content, list):
        raise ValueError(f'{path}: expected a list of video ids, or an object '
                         'with the list "videos"')
    return content
