"""The OCI Distribution protocol as values and coroutines: no Django, no models."""
