"""Tracking metrics equal those of TrackEval's own reader of YouTube-VIS files."""

import contextlib
import io
import json

import numpy as np
import pytest
from random_cases import random_case
from vis_files import annotation, golden, ground_truth, result

from mmcico.evaluation import read_ground_truth, read_results
from mmcico.evaluation.tracking import FIGURES, format_tracking, tracking_figures
from mmcico.formats.rle import runs_of_text

trackeval = pytest.importorskip('trackeval')
LEFT, RIGHT = (0, 0, 4, 4), (5, 0, 9, 4)


def measure(truth, results, score_thr=None):
    truth = read_ground_truth(truth)
    return tracking_figures(truth, read_results(results, truth), score_thr)


def official(folder, truth, results):
    """Figures of TrackEval for files in its layout."""
    for name in ('gt/youtube_vis_x', 'found/youtube_vis_x/ours/data'):
        (folder / name).mkdir(parents=True)
    for video in truth['videos']:
        video['file_names'] = [f'{video["id"]}/{i}' for i in range(video['length'])]
    sizes = {video['id']: (video['height'], video['width']) for video in truth['videos']}
    for track in truth['annotations']:
        track['height'], track['width'] = sizes[track['video_id']]
        track['areas'] = [None if each is None else 1 for each in track['segmentations']]
        # its reader expects uncompressed counts in the ground truth
        track['segmentations'] = [each and runs(each) for each in track['segmentations']]
    (folder / 'gt/youtube_vis_x/gt.json').write_text(json.dumps(truth))
    (folder / 'found/youtube_vis_x/ours/data/r.json').write_text(json.dumps(results))
    with contextlib.redirect_stdout(io.StringIO()):
        data = trackeval.datasets.YouTubeVIS(
            dict(
                GT_FOLDER=f'{folder}/gt/',
                TRACKERS_FOLDER=f'{folder}/found/',
                SPLIT_TO_EVAL='x',
                PRINT_CONFIG=False,
            )
        )
        evaluator = trackeval.Evaluator(
            dict(
                PRINT_RESULTS=False,
                PRINT_CONFIG=False,
                TIME_PROGRESS=False,
                OUTPUT_SUMMARY=False,
                OUTPUT_DETAILED=False,
                PLOT_CURVES=False,
                OUTPUT_EMPTY_CLASSES=False,
                LOG_ON_ERROR=None,
                BREAK_ON_ERROR=True,
            )
        )
        quiet = dict(PRINT_CONFIG=False)
        metrics = [
            trackeval.metrics.HOTA(),
            trackeval.metrics.CLEAR(quiet),
            trackeval.metrics.Identity(quiet),
        ]
        found, _ = evaluator.evaluate([data], metrics)
    combined = found['YouTubeVIS']['ours']['COMBINED_SEQ']
    names = {each['name']: each['name'] for each in truth['categories']}
    names.update(all='cls_comb_det_av', mean='cls_comb_cls_av')
    return {
        name: {key: float(np.mean(combined[theirs][m][f])) for key, (m, f) in FIGURES.items()}
        for name, theirs in names.items()
    }


def runs(mask):
    counts = mask['counts']
    return mask if isinstance(counts, list) else dict(mask, counts=runs_of_text(counts).tolist())


@pytest.mark.parametrize('seed', [*range(6), 'golden'])
def test_equal_to_its_own_reader(tmp_path, seed):
    truth, results = golden()[:2] if seed == 'golden' else random_case(seed)
    ours = measure(json.loads(json.dumps(truth)), results)
    theirs = official(tmp_path, truth, results)
    assert ours.keys() == theirs.keys()
    for name, figures in theirs.items():
        assert ours[name] == pytest.approx(figures, abs=1e-9), name


def test_a_switch_by_hand():
    truth = ground_truth([annotation([LEFT] * 4)], [4])
    halves = [[LEFT, LEFT, None, None], [None, None, LEFT, LEFT]]
    found = measure(truth, [result(each) for each in halves])
    assert found['class_0']['IDSW'] == found['all']['IDSW'] == 1
    assert found['class_0']['MOTA'] == 0.75 and found['class_0']['DetA'] == 1
    assert found['class_0']['AssA'] == 0.5 and found['class_0']['IDF1'] == 0.5
    assert found['class_0']['HOTA'] == pytest.approx(0.5**0.5)
    # without the second half nothing switches
    found = measure(truth, [result(halves[0], 0.9), result(halves[1], 0.2)], score_thr=0.5)
    assert found['all']['IDSW'] == 0 and found['all']['MOTA'] == 0.5
    lines = format_tracking(found).splitlines()
    assert lines[0].split() == ['%', *FIGURES]
    assert lines[1].split() == ['class_0', '50.0', '50.0', '50.0', '100.0', '66.7', '50.0', '0']
