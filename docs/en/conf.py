"""Settings of the documentation; ``sphinx-build -W docs/en OUT`` builds it as a site."""

import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPOSITORY = 'https://github.com/mmcico/mmcico/blob/main'

project = 'mmcico'
author = copyright = 'The mmcico contributors'
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
html_static_path = ['_static']
html_css_files = ['site.css']
# MathML needs no script from a server, so that equations are shown offline, too
html_math_renderer = 'mathml'
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


def visit_math(translator, node):
    """Write an equation within a line as MathML."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    """Write an equation as MathML, with its number at the right."""
    text, *number = re.split(r'\\tag\{(\w+)\}', node.astext())
    translator.body.append(f'<div class="equation">{convert(text, display="block")}')
    if number:
        translator.body.append(f'<span>({number[0]})</span>')
    translator.body.append('</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Register what this file adds to Sphinx."""
    app.connect('source-read', link_to_repository)
    app.add_html_math_renderer('mathml', (visit_math, None), (visit_math_block, None))
