"""The library's own tests."""
