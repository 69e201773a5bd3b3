"""Who may accept a finding in a change."""
