"""All paths of the site."""

from django.urls import path

from comments import views

urlpatterns = [
    path("boot", views.boot),
    path("groups/<int:group_id>/comments", views.create_comment),
    path("api/hocuspocus", views.hocuspocus),
]
