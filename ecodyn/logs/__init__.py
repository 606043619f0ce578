"""Training logs: a log in some format -> frames in chunks. One file a format, one line in the registry each.

``open_logs(path)`` finds the format out by looking. A format of your own is a `Format` with `register_format`, or an
entry point ``ecodyn.logs`` of a distribution.
"""

from ecodyn.logs.frames import ArrayFrames, Frames
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.opening import open_logs
from ecodyn.logs.registry import FORMATS, register_format

__all__ = ["FORMATS", "ArrayFrames", "Format", "Frames", "Log", "LogOptions", "open_logs", "register_format"]
