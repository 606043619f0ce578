"""The batched trainer against a plain loop of the study's protocol: run-steps a second on one core, and memory.

    python benchmarks/training.py [--steps 200] [--long 30000]

The plain loop is what the study's script does: one network in float64, torch's autograd, full batch, losses and
accuracies on training and test pairs, and a copy of the embedding and of its gradient at every step. Both sides are
measured in turn in the same run, one thread each; of the rounds the fastest counts. The floor is the time that the
floating-point operations of the products alone would take at the rate of a product of 512 x 512 matrices. The memory is
that of a process of its own that trains --long steps (0 leaves it out), above what it had after ten steps. With a CUDA
device: 256 networks side by side against the plain loop there, and the 500 trainings of experiment 7.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from ecodyn.networks.modular_addition import MLP, initialise, split_pairs
from ecodyn.networks.modular_addition.pairs import tokens
from ecodyn.networks.training import Schedule, train, train_batch

SETTINGS = MLP()
ROUNDS = 5
WARM = 5  # steps before the clock starts
EXPERIMENT_7 = {"runs": 500, "steps": 2000}
PEAK = """
import re, sys
from pathlib import Path
import numpy as np
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import train_batch
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
train_batch(MLP(), [0], np.arange(11), dtype=sys.argv[2])
before = peak()
train_batch(MLP(), [0], np.arange(int(sys.argv[1]) + 1), dtype=sys.argv[2])
print(before, peak())
"""


def plain_loop(steps: int, device: str = "cpu") -> Iterator[None]:
    """The study's loop; yields before each step."""
    p = SETTINGS.p
    network = initialise(p, SETTINGS.dim, seed=0, width=SETTINGS.width).to(device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=SETTINGS.learning_rate, weight_decay=SETTINGS.weight_decay, foreach=False
    )
    pairs = [[torch.from_numpy(x).to(device) for x in tokens(index, p)] for index in split_pairs(p, 0)]
    embeddings, gradients, losses = [], [], []
    for _ in range(steps):
        yield
        optimiser.zero_grad()
        (logits, labels), (test_logits, test_labels) = ((network(a, b), label) for a, b, label in pairs)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        test_loss = torch.nn.functional.cross_entropy(test_logits, test_labels)
        right = [(x.argmax(1) == y).double().mean().item() for x, y in ((logits, labels), (test_logits, test_labels))]
        loss.backward()
        optimiser.step()
        losses.append((loss.item(), test_loss.item(), *right))
        embeddings.append(network.embedding.detach().cpu().numpy().copy())
        gradients.append(network.embedding.grad.cpu().numpy().copy())


def seconds_a_step(steps: Iterator[None], count: int) -> float:
    """Mean over ``count`` steps after the warm ones."""
    started = 0.0
    for i, _ in enumerate(steps):
        if i == WARM:
            started = time.perf_counter()
        if i == WARM + count:
            return (time.perf_counter() - started) / count
    raise ValueError("too few steps")


def ecodyn_seconds(count: int, *, dtype: str, keep: Schedule, networks: int = 1, device: str = "cpu") -> float:
    """Seconds a step and network of the batched trainer, after the warm steps."""
    at: dict[int, float] = {}

    def progress(step: int) -> None:
        if step in (WARM, WARM + count):
            if device != "cpu":
                torch.cuda.synchronize()
            at[step] = time.perf_counter()

    kept = keep.steps(WARM + count)
    train_batch(SETTINGS, range(networks), kept, dtype=dtype, device=device, progress=progress)
    return (at[WARM + count] - at[WARM]) / count / networks


def flops(*, test: bool) -> float:
    """Of the matrix products of one step: p rows in the first layer, N pairs in the others, backward twice forward."""
    p, d, w = SETTINGS.p, SETTINGS.dim, SETTINGS.width
    N = int(p * p * SETTINGS.train_fraction)
    forward = 2 * w * (w + p)
    return 3 * (N * forward + 2 * p * 2 * d * w) + (p * p - N) * forward * test


def product_rate(dtype: torch.dtype, size: int = 512) -> float:
    """Floating-point operations a second in one large product, one thread."""
    a = torch.randn(size, size, dtype=dtype)
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def line(name: str, seconds: float, plain: float, note: str = "") -> None:
    print(f"  {name:<44} {seconds * 1e3:8.2f} ms {1 / seconds:9.1f} run-steps/s {plain / seconds:7.2f} x{note}")


def on_one_core(steps: int) -> float:
    """Print the table of one core; return the plain loop's seconds a step."""
    every, thinned = Schedule(), Schedule(0, 20)
    sides: dict[str, Callable[[], float]] = {"plain": lambda: seconds_a_step(plain_loop(WARM + steps + 1), steps)}
    for dtype in ("float64", "float32"):
        sides[f"{dtype}, every step kept"] = lambda d=dtype: ecodyn_seconds(steps, dtype=d, keep=every)  # type: ignore[misc]
        sides[f"{dtype}, every 20th step kept"] = lambda d=dtype: ecodyn_seconds(steps, dtype=d, keep=thinned)  # type: ignore[misc]
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(ROUNDS):
        for name, measure in sides.items():
            best[name] = min(best[name], measure())
    plain = best.pop("plain")
    print(f"one core, {steps} steps, the fastest of {ROUNDS} rounds; x: times the plain loop's run-steps a second")
    line("plain loop, float64, all kept", plain, plain)
    for name, seconds in best.items():
        rate = product_rate(torch.float64 if "float64" in name else torch.float32)
        floor = flops(test="every step" in name) / rate
        line(
            f"ecodyn, {name}",
            seconds,
            plain,
            f"; floor {floor * 1e3:.2f} ms at {rate / 1e9:.0f} GFLOP/s, {floor / seconds:.0%} of it reached",
        )
    return plain


def on_all_cores(steps: int, plain: float) -> None:
    cores = os.cpu_count() or 1
    started = time.perf_counter()
    train(SETTINGS, range(2 * cores), 10 * steps, dtype="float32", jobs=cores)
    seconds = (time.perf_counter() - started) / (2 * cores * 10 * steps)
    line(f"ecodyn, float32, {cores} processes with their start", seconds, plain)


def memory(steps: int) -> None:
    before, after = map(int, subprocess.check_output([sys.executable, "-c", PEAK, str(steps), "float32"]).split())
    plain = 2 * (steps + 1) * SETTINGS.p * SETTINGS.dim * 8
    print(
        f"memory of {steps} steps, all kept: {(after - before) / 1024:.0f} MiB above the {before / 1024:.0f} MiB of a "
        f"process that has trained ten; the plain loop's embeddings are {plain / 2 / 1e9:.2f} GB, and its gradients too"
    )


def on_gpu(plain_core: float, networks: int = 256) -> None:
    plain = seconds_a_step(plain_loop(WARM + 101, "cuda"), 100)
    print(f"{torch.cuda.get_device_name()}; x: times the plain loop there")
    line("plain loop, float64", plain, plain)
    for dtype in ("float64", "float32"):
        seconds = ecodyn_seconds(200, dtype=dtype, keep=Schedule(), networks=networks, device="cuda")
        line(f"ecodyn, {dtype}, {networks} side by side", seconds, plain, f"; {plain_core / seconds:.0f} x one core's")
    started = time.perf_counter()
    runs, steps = EXPERIMENT_7["runs"], EXPERIMENT_7["steps"]
    train(SETTINGS, range(runs), steps, dtype="float32", device="cuda")
    print(f"experiment 7 ({runs} trainings of {steps} steps): {time.perf_counter() - started:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--long", type=int, default=30_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"p = {SETTINGS.p}, d = {SETTINGS.dim}, width {SETTINGS.width}; torch {torch.__version__}, one thread")
    plain = on_one_core(arguments.steps)
    on_all_cores(arguments.steps, plain)
    if arguments.long:
        memory(arguments.long)
    if torch.cuda.is_available():
        on_gpu(plain)
    else:
        print("no CUDA device: the figures of a GPU are left out")


if __name__ == "__main__":
    np.seterr(all="raise")
    main()
