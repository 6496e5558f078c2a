"""``python -m channel_server``."""

from channel_server.start import main

main()
