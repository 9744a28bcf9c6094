"""Makes ``mmcv.ops`` importable in tests before anything imports it."""
import mmcico  # noqa: F401
