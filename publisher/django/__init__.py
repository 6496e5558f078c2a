"""For Django: an app, ``"publisher.django"`` in ``INSTALLED_APPS``, with a publisher for the site.

The settings say where its Redis is: ``CHANNEL_SERVER = {"URL": "redis://localhost:6379/0"}``. Without
that setting the environment does, as ``Publisher.from_env`` reads it.
"""

from publisher.django.commit import batch_on_commit
from publisher.django.shared import publisher

__all__ = ["batch_on_commit", "publisher"]
