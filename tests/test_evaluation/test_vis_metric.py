import importlib
import json
import zipfile
from pathlib import Path

import mmcico.compat  # noqa: F401

import numpy as np
import pytest
import torch
from clip_samples import META, NO_SPACE, clip_sample, frame_sample, full_disk, still_video
from mmdet.registry import METRICS
from mmengine.evaluator import Evaluator
from processes import forked, lasting_gloo_threads
from vis_files import SIZE, annotation, draw, ground_truth, rle

from mmcico.evaluation import vis_metric
from mmcico.utils.tool import leave_group

A, B = (0, 0, 4, 4), (5, 4, 9, 8)


def write_truth(folder, annotations, lengths):
    path = folder / 'gt.json'
    path.write_text(json.dumps(ground_truth(annotations, lengths)))
    return str(path)


def build(meta=META, **settings):
    """The metric as MMEngine builds and feeds it."""
    evaluator = Evaluator(METRICS.build(dict(type='mmcico.VISMetric', **settings)))
    evaluator.dataset_meta = meta
    return evaluator


def run(clips, **settings):
    evaluator = build(**settings)
    for clip in clips:
        evaluator.process([clip])
    return evaluator.evaluate(len(clips))


def test_from_masks_to_files_and_figures(tmp_path):
    ann_file = write_truth(tmp_path, [annotation([A, B, None]), annotation([B, B, B], 11)], [3])
    frames = [
        frame_sample(0, 0, 3, {8: A}),
        frame_sample(0, 1, 3, {2: B, 8: B}),
        frame_sample(0, 2, 3, {}),
    ]
    clips = [
        clip_sample(frames[:2], {8: (0.75, 0), 2: (0.25, 1), 5: (0.5, 1)}),
        clip_sample(frames[2:], {8: (0.25, 0), 2: (0.25, 1)}),
    ]
    outdir = tmp_path / 'work'
    metrics = run(clips, ann_file=ann_file, outdir=str(outdir))
    tracks = json.loads((outdir / 'results.json').read_text())
    assert [(t['video_id'], t['category_id'], t['score']) for t in tracks] == [
        (0, 10, 0.5),
        (0, 11, 0.25),
    ]
    assert tracks[0]['segmentations'] == [rle(draw(A)), rle(draw(B)), None]
    assert tracks[1]['segmentations'] == [None, rle(draw(B)), None]
    # class a is perfect, b has a third of its pixels
    saved = json.loads((outdir / 'metrics.json').read_text())
    assert saved['AP_per_class'] == [pytest.approx(1), 0]
    assert saved['APl'] is None
    assert metrics['youtube_vis/AP'] == saved['AP'] == pytest.approx(0.5)
    assert 'youtube_vis/APl' not in metrics
    assert all(isinstance(value, float) for value in metrics.values())
    with zipfile.ZipFile(outdir / 'submission.zip') as file:
        assert file.namelist() == ['results.json']
    assert not list(outdir.glob('*.jsonl'))


def test_frames_vote_when_there_are_no_clip_votes(tmp_path):
    frames = [
        frame_sample('v', 0, 3, {1: A}, [0.9], [0]),
        frame_sample('v', 1, 3, {1: A}, [0.3], [1]),
        frame_sample('v', 2, 3, {1: A}, [0.3], [1]),
    ]
    run([clip_sample(frames)], outdir=str(tmp_path))
    (track,) = json.loads((tmp_path / 'results.json').read_text())
    assert track['score'] == pytest.approx(0.5)
    assert (track['video_id'], track['category_id']) == ('v', 11)


def test_tentative_tracks_count_once_they_are_confirmed(tmp_path):
    clips = still_video(0, A)
    for frame in clips[0].video_data_samples:
        frame.tentative_track_instances = frame.pred_track_instances
        frame.pred_track_instances = frame.pred_track_instances[:0]
    clips[0].clip_instances.tentative = torch.tensor([True])
    run(clips, outdir=str(tmp_path / 'confirmed'))
    (track,) = json.loads((tmp_path / 'confirmed/results.json').read_text())
    assert track['segmentations'] == [rle(draw(A))] * 3
    clips[1].clip_instances.tentative = torch.tensor([True])
    run(clips, outdir=str(tmp_path / 'never'))
    assert json.loads((tmp_path / 'never/results.json').read_text()) == []


def test_samples_moved_by_mmdet_and_masks_already_encoded(tmp_path):
    clips = [clip.cpu() for clip in still_video(0, A)]
    assert isinstance(clips[0].clip_instances, list)  # taken apart by mmdet
    frame = clips[1].video_data_samples[0]
    frame.pred_track_instances.masks = [rle(draw(A))]
    run(clips, outdir=str(tmp_path))
    (track,) = json.loads((tmp_path / 'results.json').read_text())
    assert track['score'] == 0.75
    assert track['segmentations'] == [rle(draw(A))] * 3


def test_finished_videos_are_on_disk_and_out_of_memory(tmp_path):
    evaluator = build(outdir=str(tmp_path))
    earlier = '{"video_id": 5, "results": []}\n'
    for rank in (0, 3):
        (tmp_path / f'results.rank{rank}.jsonl').write_text(earlier)
    first, second = still_video(1, A), still_video(2, B)
    for clip in (first[0], second[0], first[1]):  # interleaved
        evaluator.process([clip])
    assert [path.name for path in tmp_path.glob('*.jsonl')] == ['results.rank0.jsonl']
    (line,) = (tmp_path / 'results.rank0.jsonl').read_text().splitlines()
    assert json.loads(line)['video_id'] == 1
    metric = evaluator.metrics[0]
    assert list(metric._videos) == [2] and metric.results == []
    evaluator.process([second[1]])
    evaluator.evaluate(4)
    tracks = json.loads((tmp_path / 'results.json').read_text())
    assert [track['video_id'] for track in tracks] == [1, 2]
    assert tracks[1]['segmentations'] == [rle(draw(B))] * 3


def test_a_video_that_could_not_be_written_at_first_is_not_lost(tmp_path, monkeypatch):
    evaluator = build(outdir=str(tmp_path))
    first, second = still_video(1, A), still_video(2, B)
    for clip in (*first, second[0]):
        evaluator.process([clip])
    with monkeypatch.context() as patched, pytest.raises(OSError, match='No space left'):
        patched.setattr(vis_metric.Part, 'append', full_disk)
        evaluator.process([second[1]])
    evaluator.evaluate(4)
    tracks = json.loads((tmp_path / 'results.json').read_text())
    assert [track['video_id'] for track in tracks] == [1, 2]


def test_an_interrupted_test_goes_on(tmp_path):
    first, second = still_video(1, A), still_video(2, B)
    expected = tmp_path / 'undisturbed'
    run(first + second, outdir=str(expected))
    settings = dict(outdir=str(tmp_path / 'work'), fingerprint='x')
    evaluator = build(**settings)
    for clip in first + second[:1]:
        evaluator.process([clip])
    evaluator.metrics[0]._part.close()  # as the system does when a process is killed
    with pytest.raises(ValueError, match='another checkpoint or config'):
        run(second, **dict(settings, fingerprint='y'), resume=True)
    run(second, **settings, resume=True)
    for name in ('results.json', 'submission.zip'):
        assert (tmp_path / 'work' / name).read_bytes() == (expected / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / 'work').iterdir()) == [
        'results.json',
        'submission.zip',
    ]


def test_two_tests_do_not_mix(tmp_path):
    evaluator = build(outdir=str(tmp_path))
    evaluator.process([still_video(1, A)[0]])
    with pytest.raises(ValueError, match='is being written by another test or validation'):
        run(still_video(2, B), outdir=str(tmp_path))
    evaluator.process([still_video(1, A)[1]])
    evaluator.evaluate(2)
    (track,) = json.loads((tmp_path / 'results.json').read_text())
    assert track['video_id'] == 1


def test_second_run_starts_afresh(tmp_path):
    ann_file = write_truth(tmp_path, [annotation([A] * 3)], [3])
    evaluator = build(ann_file=ann_file)
    for box, expected in ((A, 1), (B, 0), (A, 1)):
        for clip in still_video(0, box):
            evaluator.process([clip])
        metrics = evaluator.evaluate(2)
        assert metrics['youtube_vis/AP'] == pytest.approx(expected)
    assert [path.name for path in tmp_path.iterdir()] == ['gt.json']


def test_nothing_found_scores_zero(tmp_path):
    ann_file = write_truth(tmp_path, [annotation([A] * 3)], [3])
    clip = clip_sample([frame_sample(0, t, 3, {}) for t in range(3)], {})
    metrics = run([clip], ann_file=ann_file, outdir=str(tmp_path))
    assert metrics['youtube_vis/AP'] == 0
    assert json.loads((tmp_path / 'results.json').read_text()) == []


@pytest.mark.parametrize('annotations', [None, []])
def test_without_annotations_only_files(tmp_path, annotations, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmcico.evaluation.vis_metric.print_log', lambda text, **_: said.append(text)
    )
    ann_file = write_truth(tmp_path, annotations, [3])
    outdir = tmp_path / 'work'
    assert run(still_video(0, A), ann_file=ann_file, outdir=str(outdir)) == {}
    assert len(json.loads((outdir / 'results.json').read_text())) == 1
    assert not (outdir / 'metrics.json').exists()
    assert 'gt.json has no annotations; official val' in said[-1]
    said.clear()
    assert run(still_video(0, A), ann_file=ann_file) == {}
    assert 'set outdir to a folder' in said[0]


def test_occlusion_figures(tmp_path):
    levels = ['severe_occlusion'] * 3
    ann_file = write_truth(tmp_path, [annotation([A] * 3, occlusion=levels)], [3])
    metrics = run(still_video(0, A), ann_file=ann_file, metric='ovis', prefix='ovis')
    assert metrics['ovis/AP_heavy'] == pytest.approx(1)
    assert 'ovis/AP_light' not in metrics


def test_short_and_long_videos(tmp_path):
    ann_file = write_truth(tmp_path, [annotation([A] * 3), annotation([A] * 3, video_id=1)], [3, 3])
    (tmp_path / 'long.json').write_text('[1]')
    metrics = run(
        still_video(0, A),
        ann_file=ann_file,
        metric='ytvis2022',
        long_videos=str(tmp_path / 'long.json'),
    )
    assert metrics['youtube_vis/mAP_short'] == pytest.approx(1)
    assert metrics['youtube_vis/mAP_long'] == 0
    assert metrics['youtube_vis/mAP'] == pytest.approx(0.5)


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(), 'without ann_file, .* nothing to do without outdir'),
        (dict(ann_file='nowhere.json'), 'ann_file nowhere.json does not exist'),
        (dict(outdir='x', metric='coco'), "metric is 'coco'"),
        (dict(outdir='x', metric='ytvis2022', long_videos='no.json'), 'no.json cannot be read'),
        (dict(outdir='x', long_videos='no.json'), 'with the metric ytvis2022'),
    ],
)
def test_unusable_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        METRICS.build(dict(type='mmcico.VISMetric', **settings))


def test_category_ids_are_needed_at_the_first_clip(tmp_path):
    evaluator = build(dict(classes=('a',)), outdir=str(tmp_path))
    with pytest.raises(ValueError, match='no category_ids'):
        evaluator.process(still_video(0, A)[:1])


def shrink(frame):
    frame['ori_shape'] = (16, 20)


def drop(frame):
    del frame['pred_track_instances']


def unnamed(frame):
    del frame['pred_track_instances']['instances_id']


def one_mask_more(frame):
    frame['pred_track_instances']['masks'] = np.ones((2, *SIZE), bool)


@pytest.mark.parametrize(
    'change, message',
    [
        (shrink, r'masks has shape \(1, 8, 10\) instead of \(N, 16, 20\)'),
        (drop, 'no field pred_track_instances'),
        (unnamed, 'no field instances_id'),
        (one_mask_more, '2 masks for 1 instances_id'),
    ],
)
def test_broken_frames_are_named(tmp_path, change, message):
    frame = frame_sample(3, 1, 5, {1: A}).to_dict()
    change(frame)
    with pytest.raises(ValueError, match=f'video 3: frame 1.*{message}'):
        run([dict(video_data_samples=[frame])], outdir=str(tmp_path))


def test_missing_and_repeated_frames(tmp_path):
    clips = still_video(0, A)
    with pytest.raises(ValueError, match='video 0: no results for 2 of 3'):
        run(clips[1:], outdir=str(tmp_path))
    with pytest.raises(ValueError, match='video 0: no results for 1 of 3'):
        run(clips[:1], outdir=str(tmp_path))
    with pytest.raises(ValueError, match='video 0: results came twice'):
        run(clips + clips, outdir=str(tmp_path))
    with pytest.raises(ValueError, match='frame 0: results came twice'):
        run([clips[0], clips[0]], outdir=str(tmp_path))


def test_the_better_one_of_two_predictions_with_an_id_counts(tmp_path):
    """MaskTrack R-CNN's tracker gives two predictions of a frame the same id."""
    clips = [clip_sample([frame_sample(0, t, 2, {4: A})]) for t in range(2)]
    twice = frame_sample(0, 1, 2, {4: A, 6: B, 5: B}, scores=[0.25, 0.75, 0.5], labels=[0, 1, 1])
    twice.pred_track_instances.instances_id[1] = 4
    clips[1].video_data_samples = [twice]
    texts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vis_metric, 'print_log', lambda text, **kwargs: texts.append(text))
        run(clips, outdir=str(tmp_path))
    results = json.loads((tmp_path / 'results.json').read_text())
    # scores of track 4: 0.5 in frame 0, 0.75 in frame 1, where its mask is B
    assert [each['score'] for each in results] == [0.625, 0.5]
    assert [each and each['counts'] for each in results[0]['segmentations']] == [
        rle(draw(A))['counts'],
        rle(draw(B))['counts'],
    ]
    assert texts[0].split(':')[0] == '1 predictions are not used'
    assert sum('not used' in text for text in texts) == 1


def test_ids_of_a_clip_that_votes_must_differ(tmp_path):
    frame = frame_sample(0, 0, 1, {4: A, 5: B})
    frame.pred_track_instances.instances_id[1] = 4
    with pytest.raises(ValueError, match='instances_id has a value twice'):
        run([clip_sample([frame], {4: (0.5, 0)})], outdir=str(tmp_path))


def test_length_of_the_video_that_a_sample_is_a_part_of(tmp_path):
    frames = [frame_sample(0, t, 1, {4: A}) for t in range(2)]
    for frame in frames:
        frame.set_metainfo(dict(ori_video_length=2))
    run([clip_sample([frame]) for frame in frames], outdir=str(tmp_path))
    (track,) = json.loads((tmp_path / 'results.json').read_text())
    assert len(track['segmentations']) == 2


def one_of_two(folder):
    """One process of two; the second run leaves the second one without video."""
    # parts of PyTorch that it imports keep the group that is there by then
    importlib.import_module('mmengine.runner')
    torch.distributed.init_process_group('gloo')
    rank = torch.distributed.get_rank()
    videos = {i: still_video(i, box) for i, box in enumerate((A, B, A))}
    # video 1 is tested by both
    shares = dict(both=[(0, 1), (1, 2)], one=[(0, 1, 2), ()])
    for name, share in shares.items():
        for outdir in (f'{folder}/{name}', None):
            clips = sum((videos[i] for i in share[rank]), [])
            metrics = run(clips, ann_file=f'{folder}/gt.json', outdir=outdir)
            Path(f'{folder}/{name}.{rank}.{bool(outdir)}').write_text(json.dumps(metrics))
    # what is wrong on one rank is raised on all
    with pytest.raises(ValueError, match='no results for 1 of 3'):
        run(videos[0][:1] if rank else videos[1], outdir=f'{folder}/wrong')
    if rank == 0:
        vis_metric.save_results = full_disk
    with pytest.raises(OSError, match=NO_SPACE):
        run(videos[rank], outdir=f'{folder}/full')
    torch.distributed.barrier()
    leave_group()
    assert lasting_gloo_threads() == []


@pytest.mark.skipif(not torch.distributed.is_available(), reason='needs torch.distributed')
def test_two_processes_equal_one(tmp_path):
    write_truth(
        tmp_path,
        [
            annotation([A] * 3, video_id=0),
            annotation([A] * 3, video_id=1),
            annotation([A] * 3, video_id=2),
        ],
        [3, 3, 3],
    )
    clips = sum((still_video(i, box) for i, box in enumerate((A, B, A))), [])
    expected = run(clips, ann_file=str(tmp_path / 'gt.json'), outdir=str(tmp_path / 'alone'))
    assert expected['youtube_vis/AR100'] == pytest.approx(2 / 3)
    done = forked(2, lambda: one_of_two(tmp_path))
    assert done.returncode == 0, done.stderr
    results = (tmp_path / 'alone' / 'results.json').read_bytes()
    for name in ('both', 'one'):
        answers = [json.loads(path.read_text()) for path in tmp_path.glob(f'{name}.*')]
        assert answers == [expected] * 4
        assert (tmp_path / name / 'results.json').read_bytes() == results
        assert not list((tmp_path / name).glob('*.jsonl'))
    # rank 0 had finished its video when the other one was found wanting
    (line,) = (tmp_path / 'wrong' / 'results.rank0.jsonl').read_text().split('\n')[:-1]
    assert json.loads(line)['video_id'] == 1


@pytest.mark.parametrize('as_objects', [False, True])
def test_crowds_may_be_objects(tmp_path, as_objects):
    ann_file = write_truth(tmp_path, [annotation([A], iscrowd=1)], [1])
    clips = [clip_sample([frame_sample(0, 0, 1, {8: A})], {8: (0.75, 0)})]
    metrics = run(clips, ann_file=ann_file, crowds_as_objects=as_objects)
    assert metrics.get('youtube_vis/AP') == (pytest.approx(1) if as_objects else None)
