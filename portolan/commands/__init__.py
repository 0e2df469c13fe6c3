"""The commands, a file for each subject. Each has `add_to(app)`."""
