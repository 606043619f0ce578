"""Training logs -> trajectories: ``extract`` reads, reduces and puts together, ``inspect_logs`` only looks.

`Recorder` measures the same in a training loop, so that there need be no logs; `recording` has its parts.

Examples
--------
An embedding of p = 7 tokens, logged every ten steps, becomes the signals of the circles k = 1, 2, 3:

>>> import tempfile
>>> import numpy as np
>>> from ecodyn.extraction import Request, extract, inspect_logs
>>> frames = np.random.default_rng(0).normal(size=(5, 7, 4))
>>> with tempfile.TemporaryDirectory() as folder:
...     np.savez(f"{folder}/run.npz", embeddings=frames, steps=10 * np.arange(5), p=7)
...     runs = extract(f"{folder}/run.npz", Request(observables=("signal", "circularity")))
...     (facts,) = inspect_logs(f"{folder}/run.npz")
>>> runs.shape, runs.times[0].tolist(), list(runs.observables)
((1, 5, 3), [0.0, 10.0, 20.0, 30.0, 40.0], ['signal', 'circularity'])
>>> facts["format"], facts["p"], facts["d"], facts["wrong"]
('stack', 7, 4, [])

Where nothing states how many tokens take part, or along which axis they are, the error has the readings; each is a
request:

>>> from ecodyn.extraction import UnclearTokensError
>>> with tempfile.TemporaryDirectory() as folder:
...     np.savez(f"{folder}/run.npz", embeddings=frames, steps=10 * np.arange(5))
...     try:
...         extract(f"{folder}/run.npz")
...     except UnclearTokensError as error:
...         print([reading.flags for reading in error.readings][:2])
...         print(extract(f"{folder}/run.npz", error.readings[0].asked(Request())).shape)
['--token-axis 0 --p 7', '--token-axis 0 --tokens 0:6']
(1, 5, 3)
"""

from ecodyn.extraction.extract import IncompleteExtractionError, InterruptedExtraction, extract
from ecodyn.extraction.gathering import Gathered, gather
from ecodyn.extraction.inspection import inspect_logs
from ecodyn.extraction.merging import merge
from ecodyn.extraction.readings import Reading, UnclearTokensError
from ecodyn.extraction.recording import Recorder
from ecodyn.extraction.request import Request

__all__ = [
    "Gathered",
    "IncompleteExtractionError",
    "InterruptedExtraction",
    "Reading",
    "Recorder",
    "Request",
    "UnclearTokensError",
    "extract",
    "gather",
    "inspect_logs",
    "merge",
]
