"""What bytes are: text, wide encodings, archives, windows of large files."""
