"""What happened, as Markdown and as one self-contained page."""
