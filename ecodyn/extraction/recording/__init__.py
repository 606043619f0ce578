"""Recording while training: a parameter's features are measured in the loop, and no checkpoint is needed.

`Recorder` measures a row whenever one is due and appends it to a journal beside the file that it is for; closed, the
journal becomes that file, a trajectories file of one run. `ecodyn.extraction.recording.reading.logs_at` opens
recordings, finished or not, beside the logs of every format, so that ``ecodyn extract`` puts the runs of a folder
together and ``ecodyn inspect`` looks at them while they are trained.
"""

from ecodyn.extraction.recording.recorder import Recorder

__all__ = ["Recorder"]
