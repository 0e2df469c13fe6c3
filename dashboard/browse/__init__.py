"""What the browsing screens show, gathered from the catalog with a constant number of queries."""
