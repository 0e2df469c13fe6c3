"""Screens about people, machines and what they may do."""
