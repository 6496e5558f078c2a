"""Looks at a site from outside, and says in one line each what is wrong and how to mend it."""

from channel_server.doctor.finding import Finding
from channel_server.doctor.round import Questions, examine

__all__ = ["Finding", "Questions", "examine"]
