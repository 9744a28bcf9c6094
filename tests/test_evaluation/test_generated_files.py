import json

import numpy as np
import pytest
from eval_files import FRAME, Plan, encode_blob, place, run_code, write_eval_files
from pycocotools import mask as mask_utils

from mmcico.evaluation import measure_files, read_ground_truth, read_results

SMALL = Plan(videos=2, length=4, objects=3, predictions=6)


@pytest.mark.parametrize('number, code', [(0, '0'), (15, '?'), (16, '`0'), (-1, 'O'), (-17, '_O')])
def test_codes_of_numbers_by_hand(number, code):
    assert run_code(number) == code


@pytest.mark.parametrize('top, left', [(0, 0), (3, 0), (0, 7), (690, 1250)])
def test_moved_blob_is_the_encoded_mask(top, left):
    mask = np.zeros((30, 30), bool)
    mask[4:9, 5:20] = mask[6:25, 8:11] = True
    frame = np.zeros(FRAME, np.uint8, order='F')
    frame[top : top + 30, left : left + 30] = mask
    expected = mask_utils.encode(frame)['counts'].decode()
    assert place(encode_blob(mask), top, left)['counts'] == expected


def test_files_hold_what_was_planned(tmp_path):
    paths = write_eval_files(tmp_path, SMALL, seed=3)
    truth = read_ground_truth(paths[0])
    tracks = read_results(paths[1], truth)
    assert sum(map(len, truth.tracks.values())) == 6
    assert sum(map(len, tracks.values())) == 12
    stated = json.loads(paths[0].read_text())['annotations'][0]['areas']
    first = truth.tracks[
        0,
        truth.category_index[
            str(json.loads(paths[0].read_text())['annotations'][0]['category_id'])
        ],
    ][0]
    assert first.areas.tolist() == [area or 0 for area in stated]
    # most tracks follow an object, none exactly
    assert 0 < measure_files(*paths)[0]['AP'] < 1
    again = write_eval_files(tmp_path, SMALL, seed=3)
    assert read_results(again[1], truth).keys() == tracks.keys()
