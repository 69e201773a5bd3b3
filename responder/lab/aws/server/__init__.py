"""The lab's AWS, run in a process of its own: ``python -m stanch.responder.lab.aws.server``.

MiniStack answers the calls; the modules here make it truer where a drill would notice. Nothing in
this package is imported by the process that starts the lab (``stanch.responder.lab.aws.lab``).
"""
