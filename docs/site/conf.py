# SPDX-License-Identifier: MIT
"""Configuration of the documentation site. scripts/site.sh builds it.

The source folder of Sphinx is the project, so that the pages of the site are the Markdown files themselves and relative links
between them work on both sides. The README is the front page. The navigation below exists on the site alone.
"""
import re
import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "python"), str(PROJECT / "docs/site"), str(PROJECT / "scripts")]

import notebooks  # noqa: E402  scripts/notebooks.py

project = "popflow"
copyright = "the authors of popflow, MIT licence"
version = release = re.search(r"^project\(popflow VERSION ([\d.]+)", (PROJECT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]

# Title of a group of pages, and its pages: a document, or a title with a document.
NAVIGATION = {
    "Start": ["docs/install", "docs/tutorial", "Choosing a method <docs/choosing>", "Designs of experiments <docs/designs>"],
    "Notebooks": ["Overview <notebooks/README>", "notebooks/predict_and_umap", "notebooks/leave_one_patient_out", "notebooks/transport", "notebooks/flow_of_populations"],
    "Guides": ["Clusters and containers <docs/cluster>", "workflow/README", "docs/ot", "docs/sets", "docs/reading_results",
               "docs/evaluating_elsewhere"],
    "Reference": ["Options <docs/options>", "docs/files", "Python <docs/python>", "docs/site/python_api", "C++ library <docs/library>",
                  "docs/site/cpp_api"],
    "Method and results": ["docs/method", "docs/results", "Tables of every method <docs/tables>", "Benchmarks <benchmarks/README>",
                           "Data sets <scripts/data_sets/README>", "Configurations <configs/README>"],
    "Project": ["docs/upgrading", "CONTRIBUTING", "Tests <tests/README>", "CHANGELOG"],
}

root_doc = "README"
source_suffix = {".md": "myst-nb", ".py": "myst-nb"}
nb_custom_formats = {".py": "notebooks.with_outputs"}
nb_execution_mode = "off"  # scripts/notebooks.sh runs them
nb_merge_streams = True
nb_ipywidgets_js = {}  # progress bars would load scripts from another host
include_patterns = [root_doc + ".md"] + [
    name + (".md" if (PROJECT / f"{name}.md").is_file() else ".py")
    for pages in NAVIGATION.values() for name in (page.split("<")[-1].rstrip(">") for page in pages)]
exclude_patterns = [".git", "build", "runs"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "cpp_header", "docstrings", "mathml"]
myst_heading_anchors = 4  # as on GitHub
myst_fence_as_directive = ["math"]  # GitHub draws a block of the language math as an equation, too
highlight_language = "none"  # an indented block has no language

# The signatures and docstrings are read without a compiled package.
autodoc_mock_imports = ["popflow._core", "numpy", "scipy", "pandas", "anndata", "h5py", "torch"]
autodoc_typehints = "none"  # the docstrings give shapes and types
autodoc_member_order = "bysource"
default_role = "code"
smartquotes = False  # they would change -- in names of options

html_theme = "furo"
html_title = f"popflow {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False


def add_navigation(app, name, source):
    """Adds the navigation to the front page."""
    if name == root_doc:
        for caption, pages in NAVIGATION.items():
            source[0] += "\n\n```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(pages) + "\n```\n"


def add_index(app, error):
    """Makes the front page the index of its folder."""
    if error is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir) / (root_doc + ".html"), Path(app.outdir) / "index.html")


def read_notebooks_again(app, env, added, changed, removed):
    """Returns the pages of the notebooks, whose outputs can be newer than the page."""
    return [f"notebooks/{path.stem}" for path in notebooks.SOURCES.glob("*.py")]


def setup(app):
    app.connect("env-get-outdated", read_notebooks_again)
    app.connect("source-read", add_navigation)
    app.connect("build-finished", add_index)
