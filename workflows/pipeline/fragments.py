"""What the pipeline's fragments have in common: how they are run, and what nobody may give them. Pure."""

from typing import Final

from signals.fragments import Bound
from signals.messages import InvocationMode

FRAGMENTS: Final = ("RunTests", "ShowFile", "Bisect")
"""What can be run from the pipeline's conversations."""

AT_ONCE: Final = (InvocationMode.SYNCHRONOUS, InvocationMode.ASYNCHRONOUS)
LATER: Final = (InvocationMode.ASYNCHRONOUS, InvocationMode.SYNCHRONOUS)
"""Tests may take long: people go on talking."""

REPOSITORY: Final = {"repository": Bound.FACT}
"""They look at the repository that is talked about, and at no other."""

BOUND: Final = {**REPOSITORY, "pipeline": Bound.FACT}
"""What is run are the commands of the pipeline, whoever asks, and whatever a log has talked a model into."""
