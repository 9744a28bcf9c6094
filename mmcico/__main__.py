"""``python -m mmcico``."""

import sys

from mmcico.cli.main import main

if __name__ == '__main__':
    sys.exit(main())
