"""People: what nobody but them can do or decide, as steps like any other."""
