"""Repeated measurements, peak memory, and properties of the machine."""

import ctypes
import gc
import json
import math
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

#: side of the square matrices whose product measures the peak of a device
PEAK_SIDE = dict(cpu=2048, cuda=8192)
DTYPES = dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median, the lowest and the highest value of repeated measurements."""
    return dict(median=statistics.median(values), low=min(values), high=max(values))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def wait_for(device: torch.device) -> None:
    """Wait until a device has finished its work."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    elif device.type != 'cpu':  # such as mps, which has one device
        getattr(torch, device.type).synchronize()


def seconds_of(work: Callable[[], Any], device: torch.device) -> float:
    """Return the seconds of a call, with all work that it gives a device."""
    wait_for(device)
    start = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - start


def measured_peak(device: torch.device, precision: str = 'fp32') -> float:
    """Return the operations per second of a large matrix product in a precision."""
    side = PEAK_SIDE.get(device.type, 2048)
    a = torch.randn(side, side, device=device).to(DTYPES[precision])
    times = [seconds_of(lambda: a @ a, device) for _ in range(8)]
    return 2 * side**3 / statistics.median(times[3:])


class PeakMemory:
    """Highest use of memory within a block, in MiB.

    On a CUDA device, it is the memory of PyTorch's allocator, else the resident memory of the
    process. An earlier peak counts, too, if the system cannot reset it.

    Args:
        device (torch.device): The device.

    Attributes:
        mib (float): The peak.
        added (float): The peak beyond what was in use before.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.mib = self.added = 0.0

    def __enter__(self) -> 'PeakMemory':
        forget_peak(self.device)
        self._before = self._peak()
        return self

    def __exit__(self, *error: Any) -> None:
        self.mib = self._peak()
        self.added = self.mib - self._before

    def _peak(self) -> float:
        if self.device.type == 'cuda':
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        return resident_peak()


def forget_peak(device: torch.device) -> None:
    """Release unused memory and reset the peak, if the system allows it."""
    gc.collect()
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL('libc.so.6').malloc_trim(0)
        Path('/proc/self/clear_refs').write_text('5')


def allocated_peak(run: Callable[[], Any], device: torch.device) -> float:
    """Return the highest memory of the tensors that a function creates, in MiB.

    The buffers of the libraries below PyTorch and what the C library has not given back to the
    system are not counted. It is not a number on devices other than CPUs and CUDA's.
    """
    if device.type not in ('cpu', 'cuda'):
        return math.nan
    if device.type == 'cuda':
        with PeakMemory(device) as peak:
            run()
        return peak.added
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'trace.json'
        profiled.export_chrome_trace(str(path))
        events = json.loads(path.read_text())['traceEvents']
    found = [each['args'] for each in events if each.get('name') == '[memory]']
    # PyTorch counts on from what earlier measurements left
    before = found[0]['Total Allocated'] - found[0]['Bytes'] if found else 0
    return max((each['Total Allocated'] - before for each in found), default=0) / 2**20


def resident_peak() -> float:
    """Return the highest resident memory in MiB."""
    try:
        lines = Path('/proc/self/status').read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def machine(device: torch.device) -> dict[str, Any]:
    """Return a description of the machine."""
    found: dict[str, Any] = dict(
        device=str(device),
        cpu=processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        python=platform.python_version(),
    )
    if device.type == 'cuda':
        found['gpu'] = torch.cuda.get_device_name(device)
        found['cudnn'] = torch.backends.cudnn.version()
    return found


def processor() -> str:
    """Return the name of the processor and, on Linux, its vector and matrix units."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    values = dict(line.split(':', 1) for line in lines if ':' in line)
    values = {name.strip(): value.strip() for name, value in values.items()}
    flags = set(values.get('flags', '').split())
    units = [name for name in ('avx2', 'avx512f', 'avx512_bf16', 'amx_bf16') if name in flags]
    return f'{values.get("model name", platform.machine())} ({", ".join(units)})'
