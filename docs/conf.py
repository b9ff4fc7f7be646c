"""Sphinx builds the documentation from this folder: `make docs`, readable offline, warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_extensions"), str(DOCS.parent / "src"), str(DOCS.parent)]

from likeness import __version__  # noqa: E402  (found through the path above)

project = "Likeness"
author = "The Likeness authors"
copyright = "the Likeness authors, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "references",
]
exclude_patterns = ["_build", "_extensions", "_static"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "
suppress_warnings = ["misc.highlighting_failure"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "Likeness"
html_static_path = ["_static"]
html_css_files = ["likeness.css"]
html_js_files = ["likeness.js"]
html_show_sphinx = False

linkcheck_ignore = [r"http://(127\.0\.0\.1|localhost)\b"]
linkcheck_allow_unauthorized = True
linkcheck_timeout = 30
