"""The token server that docker clients and CI systems talk to."""
