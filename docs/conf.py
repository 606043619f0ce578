"""The documentation's site: ``sphinx-build -W docs site``.

Reference pages come from docstrings and from the commands themselves, the gallery from scripts that are run, and the
notebooks from cells that are.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import ecodyn

HERE = Path(__file__).parent
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "ecodyn"
author = "The ecodyn developers"
copyright = "2026, the ecodyn developers"
release = version = ecodyn.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["gallery/*.rst", "gallery/*.py", "generated/gallery/*.ipynb"]
nb_execution_mode = "force"  # always: what a notebook shows is what this version gives
nb_execution_timeout = 300  # seconds a cell: machines are shared, and a busy one takes five times as long
nb_execution_raise_on_error = True
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
intersphinx_mapping: dict[str, tuple[str, None]] = {}  # the site is built without a network

autosummary_generate = True
autodoc_typehints = "none"  # they stand in the signature's docstring, section Parameters
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()

html_theme = "pydata_sphinx_theme"
html_title = "ecodyn"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme_options = {
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars: dict[str, list[str]] = {"start": []}  # a page of its own, without others beside it
html_show_sourcelink = False
smartquotes_action = "qe"  # two hyphens are those of an option

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["generated/gallery"],
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 0,
    "within_subsection_order": "FileNameSortKey",
    "matplotlib_animations": False,
    "capture_repr": ("_repr_html_",),  # not that of the legend that a script ends in
}


def write_commands(_: object) -> None:
    """``reference/commands.md``'s body, as typer writes the help of every command."""
    import typer
    from typer.cli import get_docs_for_click

    from ecodyn.cli import app

    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="ecodyn")
    for each in command.commands.values():  # whose lines the list cuts
        whole = str(each.help).partition("\n\n")[0].replace("\n", " ")
        text = text.replace(each.get_short_help_str(), whole)
    # What an option's help says of formulas is no Markdown.
    lines = [line[:2] + line[2:].replace("*", r"\*") if line.startswith("* `-") else line for line in text.splitlines()]
    text = "\n".join(lines) + "\n"
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(text, encoding="utf-8")


def setup(app: object) -> None:
    """What Sphinx calls once it has read this file."""
    warnings.filterwarnings("ignore", category=ecodyn.DataWarning)
    sys.path.insert(0, str(HERE))
    app.connect("builder-inited", write_commands)  # type: ignore[attr-defined]
