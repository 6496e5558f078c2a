"""Asks ``GET /live`` again and again, from a process of its own, so that it waits for nobody else.

``python probe.py PORT``: prints a line after the first answer, and the longest answer in
milliseconds when its input ends.
"""

import select
import socket
import sys
import time

EVERY_S = 0.01
REQUEST = b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def main() -> None:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as sock:
        longest_s = ask(sock)
        print("asking", flush=True)
        while not select.select([sys.stdin], [], [], EVERY_S)[0]:
            longest_s = max(longest_s, ask(sock))
    print(longest_s * 1000)


def ask(sock: socket.socket) -> float:
    """Send one request. Return how many seconds the answer took."""
    start = time.perf_counter()
    sock.sendall(REQUEST)
    if not sock.recv(65_536):
        sys.exit("the server has closed the connection")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
