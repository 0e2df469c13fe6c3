"""Changes at registries themselves: deleting, locking, and what a vendor's own page offers."""
