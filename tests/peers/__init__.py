"""The frameworks' own test suites, run with errorkit put into every application that they build.

    python -m tests.peers                      all suites: Starlette and Flask whole, a third of FastAPI
    python -m tests.peers fastapi --whole      one suite, all of its files
    python -m tests.peers flask --mode wsgi    one way of putting errorkit in
    python -m tests.peers starlette --select tests/test_routing.py::test_router
                                               some tests, and everything that is seen

Each suite comes from the source distribution of the version that is installed, and runs in an
environment of its own with the same versions of the frameworks; both are kept in `$PEER_SUITES`
(~/.cache/errorkit/peers). It is run bare first: what fails bare is nobody's fault and is not compared.
Then it is run once per mode (plugin/covered_apps.py). A test that passes bare and not covered must
stand in the suite's list (starlette.txt, flask.txt, fastapi.txt; see judging.py) with the reason for
which it may; any other fails the run, and so does a line whose test passes.

After a change of the adapters, or of a framework's version:

    python -m tests.peers --whole              what is unexpected, what is stale
    python -m tests.peers --whole --write      takes stale lines out, adds a line for what is new

`--write` gives the reason where a test compares an error's body or waits for an exception; else it
writes JUDGE, and such a list is refused until somebody has read the test and put a sentence there, or
mended errorkit and removed the line. Lines that have been judged are kept as they are. A line is
right if the rule of fidelity (docs/guarantees.md) says that the test must differ: an error body that
nobody shaped, the fields that describe it, the request ID's field, an exception that has been answered,
the log line. Never because it differs today.
"""
