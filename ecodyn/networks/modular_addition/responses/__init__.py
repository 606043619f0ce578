"""How the layers behind the embedding answer to a frequency: observables of the whole network, by name.

They are kept like those of the embedding, ``ecodyn train --set observables=output_layer+response``, and are functions
of all parameters, not of one frame: that is why logs of embeddings have none. A further one is a file with its function
and a line in `RESPONSES`.
"""

from __future__ import annotations

from ecodyn.networks.modular_addition.responses.answering import Answering, Response
from ecodyn.networks.modular_addition.responses.first_layer import first_layer
from ecodyn.networks.modular_addition.responses.output_layer import output_layer
from ecodyn.networks.modular_addition.responses.response import response

__all__ = ["RESPONSES", "Answering", "Response", "first_layer", "output_layer", "response"]

RESPONSES: dict[str, Response] = {
    "first_layer": first_layer,
    "output_layer": output_layer,
    "response": response,
}
"""By name; which of them a kind of network has, its settings say (``responses``)."""
