"""The example service on FastAPI."""
