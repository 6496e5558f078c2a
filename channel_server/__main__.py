"""``python -m channel_server``."""

from channel_server.cli import main

main()
