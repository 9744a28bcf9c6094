"""Pieces of the command line tools."""

import os

import pytest
from mmengine.config import Config

from mmcico.utils.launch import prepare_devices, rank_variables, read_config


def test_rank_variables_of_each_launcher():
    env = dict(RANK='1', WORLD_SIZE='4', LOCAL_RANK='0', MASTER_PORT='7')
    assert rank_variables('pytorch', env) == dict(
        RANK='1', WORLD_SIZE='4', LOCAL_RANK='0', MASTER_PORT='7', MASTER_ADDR='127.0.0.1'
    )
    env = dict(
        OMPI_COMM_WORLD_RANK='3',
        OMPI_COMM_WORLD_SIZE='4',
        OMPI_COMM_WORLD_LOCAL_RANK='1',
        MASTER_ADDR='host',
    )
    found = rank_variables('mpi', env)
    assert (found['RANK'], found['LOCAL_RANK']) == ('3', '1')
    assert found['MASTER_ADDR'] == 'host'
    assert found['MASTER_PORT'] == '29500'
    env = dict(SLURM_PROCID='2', SLURM_NTASKS='4', SLURM_LOCALID='0', MASTER_ADDR='host')
    assert rank_variables('slurm', env)['RANK'] == '2'


@pytest.mark.parametrize(
    'launcher, name',
    [('pytorch', 'WORLD_SIZE'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')],
)
def test_wrong_launcher_is_named(launcher, name):
    with pytest.raises(ValueError, match=name):
        rank_variables(launcher, {})


@pytest.mark.parametrize('name', ['model.onnx', 'model.pth', 'model'])
def test_a_config_is_told_by_its_ending(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'\x08\x08')
    message = r'is not a config, whose name would end in .py, .yml, .yaml, .json; give the config'
    with pytest.raises(ValueError, match=f'{name} {message}'):
        read_config(str(path))


def test_products_on_a_gpu_may_be_deterministic(monkeypatch):
    name = 'CUBLAS_WORKSPACE_CONFIG'
    monkeypatch.setenv(name, ':16:8')  # is put back afterwards
    monkeypatch.setattr('mmcico.utils.launch.end_children_with_this', lambda: None)
    cfg = Config(dict(launcher='none', randomness=dict(seed=0, deterministic=True)))
    prepare_devices(cfg)
    assert os.environ[name] == ':16:8'
    del os.environ[name]
    prepare_devices(Config(dict(launcher='none', randomness=dict(seed=0))))
    assert name not in os.environ
    prepare_devices(cfg)
    assert os.environ[name] == ':4096:8'
