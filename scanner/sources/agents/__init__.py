"""What AI assistants keep on this machine: transcripts and configurations."""
