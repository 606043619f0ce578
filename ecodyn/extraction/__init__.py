"""Training logs -> trajectories: ``extract`` reads, reduces and puts together, ``inspect_logs`` only looks."""

from ecodyn.extraction.extract import IncompleteExtractionError, InterruptedExtraction, extract
from ecodyn.extraction.inspection import inspect_logs
from ecodyn.extraction.request import Request

__all__ = ["IncompleteExtractionError", "InterruptedExtraction", "Request", "extract", "inspect_logs"]
