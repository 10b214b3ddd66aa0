"""Where events go, in the logging set-ups that services have."""
