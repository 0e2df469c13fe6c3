"""The screens of webhooks."""
