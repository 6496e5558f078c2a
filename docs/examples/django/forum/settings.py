"""Settings of the example: nothing here is for production."""

import os
from pathlib import Path

SECRET_KEY = "only-for-trying-it-out"  # noqa: S105
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "forum.urls"
AUTH_USER_MODEL = "comments.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "publisher.django",
    "comments",
]
CHANNEL_SERVER = {"URL": os.environ.get("REDIS_URL", "redis://localhost:6379/0")}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", Path(__file__).parents[1] / "db.sqlite3"),
    }
}
