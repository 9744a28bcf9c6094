"""Models outside of training: ONNX files, compiled and low-precision runs."""

from .onnx_export import export_onnx
from .onnx_files import OnnxInfo, OnnxNetwork
from .onnx_model import load_onnx_model
from .options import Agreement, autocast_model, compare_clips, compile_model
from .precision import set_precision

__all__ = [
    'Agreement',
    'OnnxInfo',
    'OnnxNetwork',
    'autocast_model',
    'compare_clips',
    'compile_model',
    'export_onnx',
    'load_onnx_model',
    'set_precision',
]
