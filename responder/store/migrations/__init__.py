"""Schema changes, in order; run by ``stanch.responder.store.schema``, never by hand."""
