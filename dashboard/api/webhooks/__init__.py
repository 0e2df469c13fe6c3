"""What registries tell, what happened, and who is told of it."""
