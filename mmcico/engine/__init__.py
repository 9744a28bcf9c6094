from .class_check_hook import ClassCheckHook

__all__ = ['ClassCheckHook']
