"""The page that lists where the signed-in user is signed in, and ends what they don't use."""

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from shop.admin.base import staff_user
from shop.admin.login import remember_device
from shop.admin.rendering import render_device
from shop.services import sessions
from shop.services.errors import NotFound


def own_sessions_view(request: HttpRequest) -> HttpResponse:
    """List the browsers and apps in which the user is signed in; sign out of one, or all others."""
    if request.method == "POST":
        return _sign_out_others(request) if "others" in request.POST else _sign_out_one(request)
    devices = [
        (device, render_device(device.session.device), device.session.pk == _own_key(request))
        for device in sessions.list_devices(staff_user(request))
    ]
    context = {
        "title": _("Your sessions"),
        "devices": sorted(devices, key=lambda row: not row[2]),
        "back": reverse("admin:index"),
    }
    return TemplateResponse(
        request, "admin/shop/user/own_sessions.html", admin.site.each_context(request) | context
    )


def _own_key(request: HttpRequest) -> str | None:
    return request.session.session_key


def _sign_out_one(request: HttpRequest) -> HttpResponse:
    try:
        sessions.end_own_session(user=staff_user(request), handle=request.POST.get("session", ""))
    except NotFound:
        messages.info(request, _("You were already signed out there."))
    else:
        messages.success(request, _("You were signed out there."))
    return HttpResponseRedirect(request.path)


def _sign_out_others(request: HttpRequest) -> HttpResponse:
    user = staff_user(request)
    sessions.end_sessions(user, because="logout", by=user)
    update_session_auth_hash(request, user)  # all sessions ended but this one
    messages.success(request, _("You were signed out everywhere else."))
    response = HttpResponseRedirect(request.path)
    remember_device(request, response)
    return response
