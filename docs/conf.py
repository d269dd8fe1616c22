"""How Sphinx builds the site."""

import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from llamaclassify import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "llamaclassify"
author = "The llamaclassify developers"
project_copyright = "2026, the llamaclassify developers"
release = __version__
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"llamaclassify {__version__}"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_llm.txt",
    "commands",
    "finished",
]
llms_txt_description = (
    "The async-first Python SDK for LlamaCloud's document classification API: rules in plain language in, "
    "a type with a confidence and a reasoning out."
)
llms_txt_suffix_mode = "replace"
exclude_patterns = ["_build", "_ext", "examples"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_mock_imports = ["ray", "pyarrow"]  # 240 MB to read some docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
autoclass_content = "both"
napoleon_google_docstring = True
napoleon_use_ivar = True
default_role = "code"
highlight_language = "python"
# Types of other libraries, and of the standard library's generics: named for the reader, not linked.
nitpick_ignore_regex = [("py:.*", r"(?!llamaclassify).*|.*\._.*|.*\.T$|.*\.(transport|clock|journal)\..*")]


def setup(app: Sphinx) -> None:
    """Have the Markdown twins of the pages show the `*` of signatures, which their builder does not know."""
    app.add_node(nodes.abbreviation, override=True, markdown=(lambda *_: None, lambda *_: None))
