"""The lab's AWS: ``AwsLab.start()``, and ``seed`` for the ``World`` that a drill happens in."""

from responder.lab.aws.cast import ALIVE, Attacker, Consumer
from responder.lab.aws.client import Credentials
from responder.lab.aws.lab import AwsLab, LabError
from responder.lab.aws.world import World, seed

__all__ = [
    "ALIVE",
    "Attacker",
    "AwsLab",
    "Consumer",
    "Credentials",
    "LabError",
    "World",
    "seed",
]
