"""Real services from the package index, bare and covered: `python -m tests.services [names] [--write]`.

Not part of the suite: it installs other people's packages (about 3 GB) and takes minutes.
"""
