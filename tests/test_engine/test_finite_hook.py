"""A training stops at the first number that is not finite."""

from types import SimpleNamespace

import pytest
import torch
from clip_line import CONFIG, train, train_in_two, weights, write_data
from tool_runs import options, run_here
from torch import nn

from mmcico.engine.finite_hook import FiniteTrainingHook, load_batch


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp('data'))


@pytest.mark.parametrize(
    'bad, text', [('loss', 'loss_line is nan'), ('gradient', 'the norm of the gradients is')]
)
def test_training_stops_names_the_clips_and_keeps_the_checkpoint(data, tmp_path, capsys, bad, text):
    # 12 frames with objects, 2 clips a step: step 8 is in epoch 2
    code = train(data, tmp_path, 'model.bad_step=8', f'model.bad={bad}')
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 1
    assert text in said and 'in step 8 of the training (epoch 2)' in said
    assert said.count('video ') == 2 and 'JPEGImages' in said and 'epoch_1.pth' in said
    assert [p.name for p in sorted(tmp_path.glob('*.pth'))] == ['epoch_1.pth']
    assert all(w.isfinite().all() for w in weights(tmp_path / 'epoch_1.pth'))
    content = load_batch(tmp_path / 'replay' / 'iter_8_rank0.pt')
    assert content['step'] == 8 and content['checkpoint'].endswith('epoch_1.pth')
    for clip in content['batch']['data_samples']:
        assert f'video {clip[0].video_id}, frames {tuple(clip.frame_ids)}' in said
    assert content['batch']['inputs'][0].shape == (3, 3, 32, 48)
    settings = options('model.bad_step=1', f'model.bad={bad}')
    batch = tmp_path / 'replay' / 'iter_8_rank0.pt'
    assert run_here('analysis_tools/replay_batch.py', CONFIG, batch, *settings) == 0
    said = capsys.readouterr().out
    assert said.count('video ') == 2 and 'epoch_1.pth' in said
    marked = [line.split()[0] for line in said.splitlines() if line.endswith('not finite')]
    assert marked == (['loss', 'loss', 'largest'] if bad == 'loss' else ['largest'])


def test_huge_learning_rate_saves_no_bad_weights(data, tmp_path, capsys):
    lr = 'optim_wrapper.optimizer.lr=1e30'
    assert train(data, tmp_path, lr, 'default_hooks.finite.enabled=False') == 1
    assert 'not finite after step 6,' in capsys.readouterr().err  # the end of the epoch
    assert not list(tmp_path.glob('*.pth'))
    assert train(data, tmp_path, lr) == 1
    assert not list(tmp_path.glob('*.pth'))


def test_clipped_gradients_are_judged_before_clipping(data, tmp_path, capsys):
    clip = 'optim_wrapper.clip_grad.max_norm=1.0'
    assert train(data, tmp_path, 'model.bad_step=2', 'model.bad=gradient', clip) == 1
    assert 'in step 2 of' in capsys.readouterr().err


@pytest.mark.parametrize('fused', [True, False])
def test_steps_that_overflow_are_left_out(fused):
    """A fused optimiser is called by the scaler all the same, and leaves them out itself."""
    weight = nn.Parameter(torch.ones(2))
    optimizer, scaler = torch.optim.AdamW([weight], fused=fused), torch.amp.GradScaler('cpu')
    wrapper = SimpleNamespace(optimizer=optimizer, loss_scaler=scaler, _accumulative_counts=1)
    hub = SimpleNamespace(log_scalars={})
    runner = SimpleNamespace(optim_wrapper=wrapper, model=None, message_hub=hub)
    hook, said = FiniteTrainingHook(max_skipped=2), []
    hook.before_train(runner)
    for factor in (float('inf'), float('nan'), 1, float('inf'), float('inf'), float('inf')):
        before = weight.detach().clone()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        assert torch.equal(before, weight) == (factor != 1)
        said.append(hook._bad_norm(runner))
    assert said == [''] * 5 + ['the gradient scaler left out 3 steps in a row']


def test_batch_of_other_content_is_refused(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'a.pt')
    with pytest.raises(ValueError, match='is no batch'):
        load_batch(str(tmp_path / 'a.pt'))


@pytest.mark.slow
@pytest.mark.parametrize('bad', ['loss', 'infinite'])
def test_all_processes_stop(data, tmp_path, bad):
    settings = ('model.bad_step=2', 'model.bad_rank=1', f'model.bad={bad}')
    done = train_in_two(data, tmp_path, *settings)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(errors) == 2 and len(set(errors)) == 1, done.stderr[-3000:]
    assert 'in step 2 of' in errors[0] and errors[0].count('video ') == 2
    assert [p.name for p in (tmp_path / 'replay').iterdir()] == ['iter_2_rank1.pt']
    assert not list(tmp_path.glob('*.pth'))
