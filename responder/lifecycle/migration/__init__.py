"""From files and CI variables into a store: plan, write, prove, keep from coming back."""
