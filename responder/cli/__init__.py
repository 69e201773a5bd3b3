"""One file per command; `stanch` starts in main.py and loads only what a command needs."""
