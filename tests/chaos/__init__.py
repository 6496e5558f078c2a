"""Faults under load, and every (client, message) pair accounted for: ``make chaos``.

``python -m tests.chaos --help`` shows how to run a part of it; ``tests/faults/test_chaos.py`` runs
the same scenarios in a short form.
"""
