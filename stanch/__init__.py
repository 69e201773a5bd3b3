"""The one name under which Stanch is installed.

The rooms lie at the top of the repository; the links beside this file put them below one package,
so that an installed wheel has no top-level ``scanner`` or ``responder`` that another project could
also have (docs/adr/0016). Code says ``stanch.scanner``; a lint refuses the bare names.
"""
