"""Many browsers at one server, with locust: ``make load``.

``locustfile.py`` says how to put load on a server of one's own; ``python -m tests.load --help``
shows what else ``make load`` can be told.
"""
