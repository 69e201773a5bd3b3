"""What all detectors ask of text: paths, words, placeholders, positions."""
