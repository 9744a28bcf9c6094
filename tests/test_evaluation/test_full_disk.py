"""What stops one process from writing ends all of them."""

import pickle

import pytest
from clip_samples import NO_SPACE, full_disk, still_video
from test_vis_metric import A, build, run, write_truth
from vis_files import annotation

from mmcico.evaluation import vis_metric


@pytest.mark.parametrize('name', ['save_results', 'save_metrics', 'unique_records'])
def test_a_full_disk_is_sent_to_all(tmp_path, monkeypatch, name):
    ann_file = write_truth(tmp_path, [annotation([A] * 3)], [3])
    monkeypatch.setattr(vis_metric, name, full_disk)
    sent = []
    real = vis_metric.broadcast_object_list
    monkeypatch.setattr(
        vis_metric, 'broadcast_object_list', lambda items: (sent.extend(items), real(items))
    )
    settings = dict(ann_file=ann_file, outdir=str(tmp_path / 'work'))
    with pytest.raises(OSError, match=NO_SPACE):
        run(still_video(0, A), **settings)
    ((figures, error),) = sent
    assert figures == {}
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is OSError and str(copy) == str(error)
    monkeypatch.undo()
    metrics = run(still_video(0, A), **settings)
    assert metrics['youtube_vis/AP'] == pytest.approx(1)


def test_a_folder_that_cannot_be_made_is_sent_to_all(tmp_path):
    (tmp_path / 'file').write_text('')
    evaluator = build(outdir=str(tmp_path / 'file' / 'work'))
    with pytest.raises(OSError, match='VISMetric: .*outdir must be a folder'):
        evaluator.evaluate(0)
