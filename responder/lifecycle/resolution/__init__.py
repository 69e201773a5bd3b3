"""From a reference to its value: which store is asked, who may have it, and what is recorded."""
