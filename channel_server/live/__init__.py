"""Live updates: from a Redis message to the browsers that may see it.

feed ─→ recorder ─→ journal ─→ follower ─→ intake ─→ fanout ─→ sessions
CONNECT ─→ gateway ─→ look-up ─→ recovery ─→ replay ─→ rooms
"""
