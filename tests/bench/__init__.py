"""Our server beside its peers under the same load: ``make bench``.

``python -m tests.bench --help`` shows how to run a part of it.
"""
