"""Figures inside a page, and the templates that pages are made of."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ecodyn.report.formatting import DASH, breakable, in_powers

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

PIXELS_PER_INCH = 96  # of CSS
RESOLUTION = 144  # dots per inch of the figures that would be too many lines for SVG: sharp on paper too
COLOURS = 96  # of such a figure, lines with soft edges; more can't be seen, and take twice the room


@dataclass(frozen=True)
class Image:
    """A figure as a data URI, and how wide to show it (pixels)."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Figure:
    """A picture, the caption below it, and what is seen on it in words."""

    picture: Image
    caption: str
    text: str


def png(ax: Axes) -> Image:
    """A figure as pixels, where it has too many lines for SVG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _figure(ax)
    figure.set_dpi(RESOLUTION)
    canvas = FigureCanvasAgg(figure)
    with _any_letters():
        canvas.draw()
    return _image(figure, "image/png", partial(_in_few_colours, canvas))


@contextmanager
def _any_letters() -> Iterator[None]:
    """A label in letters that the font lacks is drawn as boxes; tables have it as it is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


def _in_few_colours(canvas: FigureCanvasAgg, buffer: BytesIO) -> None:
    """A drawn canvas as PNG with a palette."""
    from PIL import Image as Pixels

    drawn = Pixels.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    few = drawn.quantize(COLOURS, method=Pixels.Quantize.FASTOCTREE, dither=Pixels.Dither.NONE)
    few.save(buffer, "PNG")


def svg(ax: Axes) -> Image:
    """A figure as lines."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    # As an image of its own, an SVG can neither clash with the ids of others nor load anything.
    figure = _figure(ax)
    return _image(figure, "image/svg+xml", partial(FigureCanvasSVG(figure).print_svg, metadata={"Date": None}))


def _figure(ax: Axes) -> Canvas:
    return cast("Canvas", ax.get_figure(root=True))  # axes that were just drawn have one


def _image(figure: Canvas, mime: str, written: Callable[[BytesIO], object]) -> Image:
    # The canvas itself lays out and draws once; savefig draws all once more beforehand, for bounding boxes.
    buffer = BytesIO()
    with _any_letters():
        written(buffer)
    uri = f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode()}"
    width, height = (round(inches * PIXELS_PER_INCH) for inches in figure.get_size_inches())
    return Image(uri, width, height)


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
    environment.filters["powers"] = in_powers
    environment.filters["breakable"] = breakable
    return environment


def template(name: str) -> Template:
    """One of the page templates."""
    return _environment().get_template(name)
