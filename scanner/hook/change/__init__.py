"""What a commit, a push or a pull request brings."""
