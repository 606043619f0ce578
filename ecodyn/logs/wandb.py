"""Weights & Biases' own files, which no library reads: what to do instead."""

from __future__ import annotations

from pathlib import Path

__all__ = ["export_advice"]

SUFFIX = ".wandb"
WITHIN = ("*", "*/*", "*/*/*")  # of a run's folder, of the folder wandb, and of one that holds that
HISTORY = "files/wandb-history.jsonl"  # what versions of before 2022 wrote beside


def export_advice(path: Path) -> str | None:
    """How to export what Weights & Biases wrote at or in a path, None if it wrote nothing there."""
    if path.is_dir():
        found = (file for within in WITHIN for file in path.glob(f"{within}{SUFFIX}") if file.is_file())
        files = sorted({file.resolve() for file in found})  # latest-run is a link to one of the others
    else:
        files = [path] if path.suffix == SUFFIX else []
    if not files:
        return None
    run = files[0].parent
    what = f"{files[0]} is Weights & Biases' own file of a run"
    if (run / HISTORY).is_file():
        return f"{what}, which is not read here, expected a table: name {run / HISTORY}, which holds the same"
    return (
        f"{what} ({len(files)} such), which is not read here, expected a table; upload it with wandb sync {run}, then "
        "save the history that the API gives, once for each run: "
        "pandas.DataFrame(wandb.Api().run('ENTITY/PROJECT/RUN').scan_history()).to_csv('RUN.csv', index=False) "
        "(run.history() gives a sample of 500 rows unless it is told samples=)"
    )
