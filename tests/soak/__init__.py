"""Clients that come and go for minutes, and what memory the servers keep of them: ``make soak``."""
