"""What a population is trained on and in: device, numbers, processes, and how many networks go side by side."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ecodyn.networks.training.checks import check_choice, check_whole
from ecodyn.networks.training.network import DTYPES, NetworkSettings
from ecodyn.runtime.processes import is_elsewhere, workers

__all__ = ["Machine", "check_device"]

CPU_BATCH_BYTES = 8e6  # several small networks share the cost of calls; larger ones only evict each other (measured)
GPU_SHARE = 0.8  # of the free memory, that batches may take by their estimate; the rest is for what that leaves out


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and in what networks are trained.

    Parameters
    ----------
    dtype : str
        "float64" or "float32".
    device : str
        "cpu", "cuda" or "cuda:0".
    batch : int or None
        Networks side by side; None for what suits the device.
    jobs : int
        Processes, -1 for one a core; a GPU is fed by one.

    Raises
    ------
    ValueError
        There is no such thing here, or a GPU is asked for beside a cluster.
    """

    dtype: str
    device: str
    batch: int | None
    jobs: int

    def __post_init__(self) -> None:
        check_choice("dtype", self.dtype, DTYPES)
        check_device(self.device)
        if self.jobs != -1:
            check_whole("jobs (-1 for one a core)", self.jobs, 1)
        if self.batch is not None:
            check_whole("batch", self.batch, 1)
        if self.is_gpu and is_elsewhere():
            raise ValueError(
                f"the workers of a cluster train on CPUs, got device {self.device!r}; train there without a cluster"
            )

    @property
    def is_gpu(self) -> bool:
        """Whether the device is one."""
        return torch.device(self.device).type == "cuda"

    @property
    def processes(self) -> int:
        """How many processes train at once."""
        import joblib

        if self.is_gpu:
            return 1
        return workers(joblib.cpu_count() if self.jobs == -1 else self.jobs)

    def batch_size(self, network: NetworkSettings, seeds: int, runs: int) -> int:
        """Networks side by side: what memory allows, and on a CPU no more than leaves work for every process.

        Parameters
        ----------
        network : NetworkSettings
        seeds : int
            Runs of this network.
        runs : int
            Runs of all networks, for all processes.
        """
        if self.batch is not None:
            return self.batch
        each = network.bytes_per_network(DTYPES[self.dtype].itemsize)
        if self.is_gpu:
            free, _ = torch.cuda.mem_get_info(self.device)
            return max(1, min(seeds, int(GPU_SHARE * free / each)))
        fair = -(-runs // self.processes)
        return max(1, min(seeds, fair, int(CPU_BATCH_BYTES / each)))


def check_device(name: str) -> None:
    """Raise a ValueError unless torch has the device."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be cpu, cuda or cuda:0, got {name!r}") from error
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise ValueError(f"device must be cpu or cuda, got {name!r}")
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= present:
        raise ValueError(f"device {name!r} asked for, but torch sees {present} CUDA devices; use device='cpu'")
