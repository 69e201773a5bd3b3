"""The lab's AWS: ``AwsLab.start()``, and ``seed`` for the ``World`` that a drill happens in."""

from stanch.responder.lab.aws.cast import ALIVE, Attacker, Consumer
from stanch.responder.lab.aws.client import Credentials
from stanch.responder.lab.aws.lab import AwsLab, LabError
from stanch.responder.lab.aws.world import World, seed

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
