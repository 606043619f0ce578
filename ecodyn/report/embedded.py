"""Figures inside a page, and the templates that pages are made of."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ecodyn.report.formatting import DASH

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 96  # of CSS
RESOLUTION = 110  # dots per inch of the figures that would be too many lines for SVG


@dataclass(frozen=True)
class Image:
    """A figure as a data URI, and how wide to show it (pixels)."""

    uri: str
    width: int


def png(ax: Axes) -> Image:
    """A figure as pixels, where it has too many lines for SVG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _figure(ax)
    figure.set_dpi(RESOLUTION)
    return _image(figure, "image/png", FigureCanvasAgg(figure).print_png)


def svg(ax: Axes) -> Image:
    """A figure as lines."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    # As an image of its own, an SVG can neither clash with the ids of others nor load anything.
    figure = _figure(ax)
    return _image(figure, "image/svg+xml", partial(FigureCanvasSVG(figure).print_svg, metadata={"Date": None}))


def _figure(ax: Axes) -> Figure:
    return cast("Figure", ax.get_figure(root=True))  # axes that were just drawn have one


def _image(figure: Figure, mime: str, written: Callable[[BytesIO], object]) -> Image:
    # The canvas itself lays out and draws once; savefig draws all once more beforehand, for bounding boxes.
    buffer = BytesIO()
    written(buffer)
    uri = f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return Image(uri, round(figure.get_figwidth() * PIXELS_PER_INCH))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["DASH"] = DASH
    return environment


def template(name: str) -> Template:
    """One of the page templates."""
    return _environment().get_template(name)
