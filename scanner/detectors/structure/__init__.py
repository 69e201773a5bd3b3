"""What a token, a key or a document is made of: checksums and parsers, one file for each kind."""
