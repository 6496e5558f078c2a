"""An Engine.IO v4 server: sessions over long-polling and WebSocket, below python-socketio.

Front (HTTP, one per TCP connection) ─→ Engine ─→ Session ─→ Polling | WebSocket
"""
