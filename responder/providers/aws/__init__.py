"""Amazon Web Services: access keys of IAM users."""
