"""The example service on Flask."""
