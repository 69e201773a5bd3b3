"""The lab's AWS: ``AwsLab.start()`` and the ``World`` that a drill happens in."""

from responder.lab.aws.client import Credentials
from responder.lab.aws.lab import AwsLab, LabError

__all__ = ["AwsLab", "Credentials", "LabError"]
