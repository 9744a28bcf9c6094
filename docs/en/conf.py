"""Settings of the documentation; ``sphinx-build -W docs/en OUT`` builds it as a site."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPOSITORY = 'https://github.com/mmcico/mmcico/blob/main'

project = 'mmcico'
author = 'The mmcico contributors'
version = release = re.search(
    r"__version__ = '(.+)'", (ROOT / 'mmcico' / 'version.py').read_text(encoding='utf-8')
).group(1)

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
]
myst_enable_extensions = ['dollarmath', 'colon_fence', 'deflist']
myst_heading_anchors = 3
exclude_patterns = ['_build', '*.ipynb']
html_theme = 'furo'
html_title = f'mmcico {version}'
html_static_path = []
copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True
autodoc_typehints = 'none'
autodoc_member_order = 'bysource'
napoleon_use_ivar = True


def link_to_repository(app, docname, source):
    """Turn links to files outside the documentation into links to the repository."""
    folder = Path(app.srcdir) / docname

    def replace(match):
        path = (folder.parent / match.group(1)).resolve()
        if Path(app.srcdir) in path.parents or ROOT not in path.parents:
            return match.group(0)
        if not path.exists():
            raise ValueError(f'{docname}: the link {match.group(1)} leads nowhere')
        return f']({REPOSITORY}/{path.relative_to(ROOT).as_posix()}{match.group(2) or ""})'

    source[0] = re.sub(r'\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)', replace, source[0])


def setup(app):
    """Register what this file adds to Sphinx."""
    app.connect('source-read', link_to_repository)
