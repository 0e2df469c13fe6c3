"""What is out there: registries, their repositories, tags and content, and the runs that read them."""
