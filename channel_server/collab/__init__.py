"""Collaborative documents: the Hocuspocus protocol, spoken to the unmodified ``@hocuspocus/provider``.

What is said to clients is in ``messages`` and ``seat``; what a document is, in ``document`` and
``updates``; how it is loaded, stored and dropped, in ``documents``.
"""
