"""Matrix bots: what the application publishes on ``chatbot/*`` becomes messages in Matrix rooms.

Data flows one way: ``bridge`` hears and writes into the outbox, ``sender`` reads it and keeps one
queue for each bot, ``homeserver`` speaks to Matrix. ``service`` puts them together.
"""
