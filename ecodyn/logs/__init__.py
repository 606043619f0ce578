"""Training logs: a log in some format -> frames in chunks. One file a format, one line in the registry each.

``open_logs(path)`` finds the format out by looking. A format of your own is a `Format` with `register_format`, or an
entry point ``ecodyn.logs`` of a distribution.

Formats of checkpoints go from a folder to its files and folders of one run (``checkpoint_folders``, ``step_folders``,
``shards``), from names to the numbers in them (``checkpoint_names``, ``checkpoint_columns``) and to one step each
(``checkpoint_steps``), and from a file to its tensors (``tensors``, ``state_dicts``, ``npy``). Formats of features
either are tables, which `ecodyn.tables` reads, or gather ``records`` of single values.
"""

from ecodyn.logs.frames import ArrayFrames, Frames
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.opening import open_logs
from ecodyn.logs.registry import FORMATS, register_format

__all__ = ["FORMATS", "ArrayFrames", "Format", "Frames", "Log", "LogOptions", "open_logs", "register_format"]
