"""Our hands in AWS: clients, identity, errors in the engine's words, the trail, one attempt."""
