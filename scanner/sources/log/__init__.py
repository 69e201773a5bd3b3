"""Logs of CI jobs and other streams: what providers put around the lines is taken away first."""
