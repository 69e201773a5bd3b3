"""Guards the places where a change enters: commits, pushes, pull requests, assistants."""
