"""Data that come with ecodyn, by name: files in the wheel, or of a clone its folder data/, whole or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import sha256

__all__ = ["EXAMPLES", "Example", "example_file"]

PACKAGE = Path(__file__).parents[1]
# A wheel has the files within the package, where pyproject.toml has them put; a clone and a source distribution have
# them beside it, once.
WITHIN, BESIDE = PACKAGE / "example_data", PACKAGE.parent / "data"
CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True, kw_only=True)
class Example:
    """Data that come with ecodyn.

    Attributes
    ----------
    name : by which `ecodyn.load_example` and ``--example`` find them
    content : what they are
    source : where they come from
    file : the file's name
    """

    name: str
    content: str
    source: str
    file: str

    def __str__(self) -> str:
        return f"{self.content}. {self.source}."

    @property
    def path(self) -> Path:
        """The file, whose bytes are what its checksum says.

        Raises
        ------
        FileNotFoundError
            It was not installed with the package.
        UnusableDataError
            It was altered or truncated.
        """
        folder = WITHIN if WITHIN.is_dir() else BESIDE
        path = folder / self.file
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no file {path}, the data of the example {self.name}; install ecodyn-toolkit again"
            )
        stated = _checksums(folder / CHECKSUMS)[self.file]
        found = sha256(path)
        if found != stated:
            raise UnusableDataError(
                f"{path}, the data of the example {self.name}, was altered: expected the SHA-256 checksum {stated}, "
                f"got {found}; install ecodyn-toolkit again"
            )
        return path


EXAMPLES = {
    example.name: example
    for example in (
        Example(
            name="circles",
            content="16 trainings on modular addition, p = 59: 29 frequencies (circles) at steps 0 to 1000",
            source="Made by 'ecodyn train --p 59 --dim 128 --seeds 0:16 --steps 1000', to the protocol of Survival of "
            "the Fittest Representation (arXiv 2405.17420)",
            file="circles_p59_d128.nc",
        ),
        Example(
            name="hare_lynx",
            content="Pelts of snowshoe hare and Canada lynx in thousands, 1900 to 1920: one run of two species",
            source="C. G. Hewitt, The Conservation of the Wild Life of Canada (1921), and C. Elton and M. Nicholson, "
            "Journal of Animal Ecology 11 (1942), as used in B. Carpenter, Predator-Prey Population Dynamics (2018)",
            file="hare_lynx.csv",
        ),
    )
}


def example_file(name: str) -> Path:
    """The file of an example.

    Raises
    ------
    ValueError
        There is no such example.
    FileNotFoundError, UnusableDataError
        Its file is missing, or is not what it was.
    """
    if name not in EXAMPLES:
        raise ValueError(
            f"expected an example, one of {', '.join(EXAMPLES)}, got {name!r}; what is in a file is loaded by its path"
        )
    return EXAMPLES[name].path


def _checksums(path: Path) -> dict[str, str]:
    """By file, as ``sha256sum`` writes them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {file: stated for stated, file in (line.split(maxsplit=1) for line in lines)}
