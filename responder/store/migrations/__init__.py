"""Schema changes, in order; run by ``responder.store.schema``, never by hand."""
