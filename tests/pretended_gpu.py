"""Tensors of the CPU that pretend to lie on a GPU, for tests on machines without one.

Within :class:`PretendedGpu`, ``cuda`` is a device. Its tensors say so and hold their values in the
memory of the CPU, so that everything runs and can be differentiated. Operations that mix devices
are refused as CUDA refuses them, and every wait of the CPU for the device is noted.
"""

import sys
from contextlib import ExitStack
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

GPU = torch.device('cuda', 0)
#: operators whose results have a size, or are a number, that the CPU must wait for
WAITING = {'_local_scalar_dense', '_unique2', 'equal', 'masked_select', 'nonzero', 'unique_dim'}
#: functions that take tensors of several devices
MIXING = {'__deepcopy__', '__getitem__', '__setitem__', 'copy_', 'type_as'}
#: functions that copy numbers of Python to the device
MAKING = {'as_tensor', 'new_tensor', 'tensor'}


class OnGpu(Tensor):
    """A tensor on the pretended GPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl


def on_gpu(value):
    """Whether a tensor or a device is the GPU's."""
    if isinstance(value, Tensor):
        return isinstance(value, OnGpu)
    return isinstance(value, int) or torch.device(value).type == 'cuda'


def moved(value, there):
    """The same tensor, or tensors, on the GPU or on the CPU, without a copy."""
    kind = OnGpu if there else Tensor
    if isinstance(value, Tensor):
        return value if type(value) is kind else value.as_subclass(kind)
    if type(value) in (list, tuple):
        return type(value)(moved(each, there) for each in value)
    # results of several names, such as those of max
    return type(value)([moved(x, there) for x in value]) if isinstance(value, tuple) else value


def tensors_in(values):
    """All tensors in nested arguments."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from tensors_in(value)


class Inside(TorchDispatchMode):
    """Notes the waits of operators that run within a function of tensors of the GPU."""

    def __init__(self, note):
        super().__init__()
        self.note = note
        self.active = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if self.active and name in WAITING:
            self.note(name)
        if self.active and name in ('index', 'index_put_'):
            masks = [x for x in args[1] if x is not None and x.dtype == torch.bool]
            if masks and (name == 'index' or args[2].numel() > 1):  # one value fills a mask
                self.note('a mask as index')
        return func(*args, **(kwargs or {}))


class PretendedGpu(TorchFunctionMode):
    """Context in which ``cuda`` is a device.

    Attributes:
        waits (list[tuple[str, str]]): What the CPU waited for, and the line of mmcico.
        casts (set[str]): Devices of autocast.
    """

    def __init__(self):
        super().__init__()
        self.waits, self.casts = [], set()
        self.inside = Inside(self.note)
        self._stack = ExitStack()

    def __enter__(self):
        real = torch.autocast.__init__

        def cast(autocast, device_type, *args, **kwargs):
            self.casts.add(device_type)
            real(autocast, 'cpu', *args, **kwargs)

        future = torch.__future__
        before = future.get_overwrite_module_params_on_conversion()
        self._stack.callback(future.set_overwrite_module_params_on_conversion, before)
        future.set_overwrite_module_params_on_conversion(True)
        self._stack.enter_context(mock.patch.object(torch.autocast, '__init__', cast))
        self._stack.enter_context(self.inside)
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._stack.close()

    def note(self, what):
        """Note a wait."""
        frame = sys._getframe()
        while frame is not None and '/mmcico/' not in frame.f_code.co_filename:
            frame = frame.f_back
        where = frame and f'{frame.f_code.co_filename.split("/mmcico/")[-1]}:{frame.f_lineno}'
        self.waits.append((what, where or ''))

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name in ('__get__', '__set__'):
            name = f'{func.__self__.__name__}.{name}'
        own = getattr(self, 'own_' + name.removesuffix('.__get__').strip('_'), None)
        if own is not None:
            return own(func, *args, **kwargs)
        tensors = list(tensors_in((args, kwargs)))
        here = [x for x in tensors if not on_gpu(x)]
        there = target = len(here) < len(tensors)
        if kwargs.get('device') is not None:
            target, kwargs['device'] = on_gpu(kwargs['device']), 'cpu'
        elif there and name not in MIXING and not name.endswith('et__'):
            if any(each.dim() for each in here):  # single numbers may be the CPU's
                raise RuntimeError(f'{name} mixes devices: {[(type(x), x.shape) for x in tensors]}')
        if target and (name in MAKING or (name == 'copy_' and here)):
            self.note(name)
        if there and name == 'tolist':
            self.note(name)
        if name in ('__getitem__', '__setitem__'):
            self._check_index(name, args)
        before, self.inside.active = self.inside.active, there
        try:
            found = func(*args, **kwargs)
        finally:
            self.inside.active = before
        return moved(found, True) if target else found

    def _check_index(self, name, args):
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        chosen = [x for x in index if isinstance(x, (list, Tensor))]
        if on_gpu(args[0]):
            if any(isinstance(x, list) or not on_gpu(x) for x in chosen):
                self.note('an index of the CPU')
            values = [x for x in args[2:] if isinstance(x, Tensor) and x.dim() and not on_gpu(x)]
            if values and chosen:
                raise RuntimeError('values of the CPU for chosen places on the GPU')
            if values:
                self.note('values of the CPU')
        elif any(on_gpu(x) for x in chosen if isinstance(x, Tensor)):
            raise RuntimeError('an index of the GPU for a tensor of the CPU')

    # functions of their own meaning, by name

    def own_device(self, func, x, *owner):
        return GPU if on_gpu(x) else func(x, *owner)

    def own_is_cuda(self, func, x, *owner):
        return on_gpu(x)

    def own_is_cpu(self, func, x, *owner):
        return not on_gpu(x)

    def own_has_compatible_shallow_copy_type(self, func, *args):
        return False

    def own_deepcopy(self, func, x, memo):
        if not on_gpu(x):
            return func(x, memo)
        new = moved(moved(x, False).detach().clone(), True).requires_grad_(x.requires_grad)
        new._is_param = getattr(x, '_is_param', False)
        memo[id(x)] = new
        return new

    def own_numpy(self, func, x, *args, **kwargs):
        if on_gpu(x):
            raise TypeError('a tensor of the GPU is no array; use Tensor.cpu() first')
        return func(x, *args, **kwargs)

    own_array = own_numpy

    def own_pin_memory(self, func, x, *args):
        if on_gpu(x):
            raise RuntimeError('memory of the GPU cannot be pinned')
        return x.clone()

    def own_cpu(self, func, x, **kwargs):
        return self.own_to(Tensor.to, x, 'cpu', **kwargs)

    def own_cuda(self, func, x, *args, **kwargs):
        return self.own_to(Tensor.to, x, 'cuda', **kwargs)

    def own_to(self, func, x, *args, **kwargs):
        args = list(args)
        if 'device' in kwargs:
            args.insert(0, kwargs.pop('device'))
        target = on_gpu(x)
        for place, each in enumerate(args):
            if isinstance(each, (str, torch.device, Tensor)):
                target = on_gpu(each)
                args[place] = moved(each, False) if isinstance(each, Tensor) else 'cpu'
        if target != on_gpu(x):
            if not target and (kwargs.get('non_blocking') or args[1:2] == [True]):
                raise AssertionError(
                    'a copy to the CPU that nobody waits for may be read too early'
                )
            if x.numel() and not kwargs.get('non_blocking'):
                self.note('to the GPU' if target else 'to the CPU')
        found = func(moved(x, False), *args, **kwargs)
        return moved(found.clone() if target != on_gpu(x) and found is x else found, target)
