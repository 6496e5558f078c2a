"""A page boots, somebody says something, the collaboration server asks."""

import base64
import json

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from comments.models import Comment, User
from publisher.django import batch_on_commit, publisher
from publisher.hocuspocus import EditableType, authorize_request


def signed_in(request: HttpRequest) -> User | None:
    """Who asks. Here by HTTP Basic; a site of yours has ``request.user``."""
    scheme, _, login = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(login).decode().partition(":")
    except ValueError:
        return None
    return authenticate(request, username=name, password=password) if scheme == "Basic" else None


def boot(request: HttpRequest) -> HttpResponse:
    """What a page needs to connect."""
    user = signed_in(request)
    if user is None:
        return HttpResponse(status=401)
    token = publisher.tokens.issue(
        {"id": user.id, "name": user.username},
        group_ids=user.groups.values_list("id", flat=True),
    )
    return JsonResponse({"channel_token": token, "user_secret": f"{user.id},{user.secret_token}"})


@csrf_exempt
@require_POST
def create_comment(request: HttpRequest, group_id: int) -> HttpResponse:
    """Say something in a group: all its pages have it at once."""
    user = signed_in(request)
    if user is None:
        return HttpResponse(status=401)
    group = get_object_or_404(user.groups, pk=group_id)
    try:
        body = json.loads(request.body)["body"]
    except (ValueError, TypeError, KeyError):
        body = None
    if not isinstance(body, str) or not body:
        return HttpResponse("body is missing", status=400)
    with transaction.atomic():
        comment = Comment.objects.create(group=group, author=user, body=body)
        with batch_on_commit() as batch:
            batch.publish_models([comment], group_id=group.id)
    return JsonResponse({"id": comment.id}, status=201)


@csrf_exempt
@require_POST
def hocuspocus(request: HttpRequest) -> HttpResponse:
    """Whether somebody may edit a document together with others."""
    decision = authorize_request(request.body, find_user=find_user, can_edit=can_edit)
    return HttpResponse(status=decision.status)


def find_user(user_id: int) -> User | None:
    """Somebody who may sign in."""
    return User.objects.filter(pk=user_id, is_active=True).first()


def can_edit(user: User, kind: EditableType, record_id: int) -> bool:
    """Comments are edited by who has written them."""
    if kind is not EditableType.COMMENT:
        return False
    return Comment.objects.filter(pk=record_id, author=user).exists()
