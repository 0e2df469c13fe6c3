"""Places that should hold the same: kept pairs, and how they compare."""
