"""Doors to the outside: Redis. No other package of the server imports it."""
