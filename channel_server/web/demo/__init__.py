"""The demo page: connect as a sample user, publish, and watch who receives it."""

from channel_server.web.demo.files import CLIENT_JS
from channel_server.web.demo.routes import Demo
from channel_server.web.demo.users import DemoUser

__all__ = ["CLIENT_JS", "Demo", "DemoUser"]
