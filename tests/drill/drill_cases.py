"""Faults as data, and what has to hold whatever they are.

A case says what is made, what is typed, how that ends and which words the sentence has. What has to hold always is not
said by any case: `Drill.check` asks it of all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DONE, USAGE, DATA, UNFITTED, PARTIAL = 0, 2, 3, 4, 5
GIB = 1 << 30
MEMORY = 3 * GIB // 2  # that a command may come to hold beyond the libraries it imports
SECONDS = 60.0  # that a command may take on a machine that has other things to do
LONGEST = 1500  # characters of a sentence; one that lists what there is may have some hundred
CACHES = ("torchinductor_",)  # of libraries, which keep them on purpose
Arguments = Sequence[object]
IN_SAMPLE = (
    *("compare", "runs.nc", "--family", "linear", "--coupling", "independent"),
    *("--protocol", "in_sample", "--jobs", 1),
)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name : what is wrong, in a few words
    make : called in an empty folder with the `Material`; makes what is wrong and gives the command's arguments
    code : exit codes that are right
    says : words that stderr has, in any order, however lines are broken
    never : words that neither stream has
    after : asks what else has to hold, of the folder and of how it ended
    memory, seconds : limits
    changes : files that were there before and may be changed
    limits : further ones by their names in `resource`
    environment : beside the usual
    """

    name: str
    make: Callable[..., Arguments]
    code: int | tuple[int, ...] = DATA
    says: Iterable[str] = ()
    never: Iterable[str] = ()
    after: Callable[[Path, Ended], None] | None = None
    memory: int = MEMORY
    seconds: float = SECONDS
    changes: Iterable[str] = ()
    limits: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def codes(self) -> tuple[int, ...]:
        return (self.code,) if isinstance(self.code, int) else self.code


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    memory: int
    timed_out: bool
    left: int

    @property
    def said(self) -> str:
        """What stderr says, without frames, colours and line breaks."""
        plain = re.sub("\x1b\\[[0-9;]*m", "", self.stderr)
        return " ".join(re.sub("[│╭╮╰╯─┌┐└┘├┤]", " ", plain).split())

    @property
    def outcome(self) -> str:
        """Whether the command did what was asked or refused to."""
        return "refused" if self.code in (USAGE, DATA, UNFITTED) else "survived"


class Drill:
    """Runs commands in processes of their own, forked from one that has imported what they need."""

    def __init__(self, material: object) -> None:
        self.material = material
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("drill_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "COLUMNS": "120"},
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline().strip() == "ready"

    def close(self) -> None:
        """End the process that forks."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def command(
        self,
        folder: Path,
        arguments: Arguments,
        *,
        memory: int = MEMORY,
        seconds: float = SECONDS,
        limits: dict[str, int] | None = None,
        environment: dict[str, str] | None = None,
        umask: int = 0o022,
    ) -> Ended:
        """Run ``ecodyn`` with these arguments in a folder; what it says goes to files beside that."""
        beside = folder.parent / f"{folder.name}-said"
        temporary = beside / "temporary"
        temporary.mkdir(parents=True, exist_ok=True)
        request = {
            "arguments": [str(a) for a in arguments],
            "folder": str(folder),
            "stdout": str(beside / "stdout"),
            "stderr": str(beside / "stderr"),
            "seconds": seconds,
            "umask": umask,
            "limits": {"RLIMIT_DATA": memory, "RLIMIT_CORE": 0, **(limits or {})},
            "environment": {"TMPDIR": str(temporary), **(environment or {})},
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(request), file=self._server.stdin, flush=True)
        answer = json.loads(self._server.stdout.readline())
        said = [(beside / name).read_text(errors="backslashreplace") for name in ("stdout", "stderr")]
        return Ended(stdout=said[0], stderr=said[1], **answer)

    def check(self, fault: Fault, folder: Path) -> Ended:
        """Make a fault, run the command, and ask what has to hold."""
        arguments = fault.make(folder, self.material)
        before = _checksums(folder)
        ended = self.command(
            folder,
            arguments,
            memory=fault.memory,
            seconds=fault.seconds,
            limits=fault.limits,
            environment=fault.environment,
        )
        told = f"{arguments}\nended with {ended.code} after {ended.seconds:.1f} s: {ended.stdout}\n{ended.stderr}"
        check_always(ended, told)
        assert ended.code in fault.codes, told
        for word in fault.says:
            assert word in ended.said, f"{word!r} is not said by {told}"
        for word in fault.never:
            assert word not in ended.said + ended.stdout, f"{word!r} is said by {told}"
        _check_files(folder, before, set(fault.changes), told)
        if fault.after is not None:
            fault.after(folder, ended)
        return ended


def check_always(ended: Ended, told: str) -> None:
    """What has to hold of every command, whatever it was given."""
    assert not ended.timed_out, f"it hangs: {told}"
    assert ended.code in (DONE, USAGE, DATA, UNFITTED, PARTIAL, 129, 130, 143), f"no exit code of the contract: {told}"
    for word in ("Traceback", "site-packages", "allow_pickle=True", "weights_only=False", "Segmentation"):
        assert word not in ended.stderr + ended.stdout, told
    assert not re.search(r"\.py:\d+", ended.stderr), f"a line of source: {told}"
    assert ended.left == 0, f"processes are left by {told}"
    if ended.outcome == "refused":
        assert not ended.stdout.strip(), f"refused, and yet a result: {told}"
        sentence = ended.said.rpartition("ecodyn: ")[2] if "ecodyn: " in ended.said else ended.said
        assert 20 < len(sentence) < LONGEST, f"no sentence, or too much of one: {told}"


def _checksums(folder: Path) -> dict[str, str]:
    """What is in a folder, byte for byte; devices, links and pipes by what they are."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file() and path.stat().st_size > GIB:  # a sparse one, whose holes take minutes to read
            found[name] = f"{path.stat().st_size} bytes"
        elif path.is_file():
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _check_files(folder: Path, before: dict[str, str], changes: set[str], told: str) -> None:
    """Nothing that was there is lost or changed, nothing half written is left, no temporary file either."""
    now = _checksums(folder)
    for name, checksum in before.items():
        assert name in changes or now.get(name) == checksum, f"{name} was changed by {told}"
    hidden = [name for name in now if name not in before and any(p.startswith(".") for p in Path(name).parts)]
    assert not hidden, f"{hidden} are left by {told}"
    place = folder.parent / f"{folder.name}-said" / "temporary"
    temporary = sorted(p.name for p in place.iterdir() if not p.name.startswith(CACHES))
    assert not temporary, f"{temporary} are left among temporary files by {told}"
