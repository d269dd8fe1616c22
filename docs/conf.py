"""How Sphinx builds the site."""

from llamaclassify import __version__

project = "llamaclassify"
author = "The llamaclassify developers"
project_copyright = "2026, the llamaclassify developers"
release = __version__
html_theme = "furo"
html_title = f"llamaclassify {__version__}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autoclass_content = "both"
napoleon_google_docstring = True
napoleon_use_ivar = True
default_role = "code"
# Types of other libraries, and of the standard library's generics: named for the reader, not linked.
nitpick_ignore_regex = [("py:.*", r"(?!llamaclassify).*|.*\._.*|.*\.T$|.*\.(transport|clock)\..*")]
