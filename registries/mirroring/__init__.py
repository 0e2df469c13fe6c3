"""The same images in two registries: kept pairs, and how each tag of theirs compares."""
