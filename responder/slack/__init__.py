"""The Slack surface: cards, buttons, modals."""
