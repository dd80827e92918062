"""Configuration of the documentation site, which Sphinx builds from the files as they stand.

    sphinx-build -W --keep-going -c docs -d build/doctrees . build/site

The source folder is the repository itself, so that links between files are the same in the site
as in a checkout; generator/ has what Sphinx does not do by itself, a file each.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Lamina"
author = "the authors of Lamina"
root_doc = "README"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "generator.docstrings",
    "generator.formulas",
    "generator.languages",
    "generator.nav",
    "generator.rooms",
    "generator.sources",
    "generator.typeset",
]

include_patterns = ["*.md", "docs/**", "notebooks/**"]
exclude_patterns = ["build", "runs", "**/.*", "**/__pycache__", "docs/generator", "docs/_static"]

nb_execution_mode = "off"  # the outputs that the notebooks keep are shown; tests run them
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"
add_module_names = False
nitpicky = True
smartquotes = False  # the text as it is written

html_theme = "furo"
html_title = "Lamina"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_search_language = "en+ko"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = True
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "languages.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
