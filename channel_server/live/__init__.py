"""Live updates: from a Redis message to the browsers that may see it.

feed ─→ intake ─→ fanout ─→ sessions          CONNECT ─→ gateway ─→ directory ─→ rooms
"""
