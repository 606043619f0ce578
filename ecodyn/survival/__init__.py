"""Who survives, and what a change at the start does to the others."""
