"""A secret's normal life: who owns it, where it is kept, and who may have it."""
