"""URLs: the admin, the API and, in development, uploaded files."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from shop.admin import command_search, login, password_reset
from shop.api.app import api
from shop.api.middleware import unknown_url

handler400 = "shop.admin.error_views.bad_request"
handler403 = "shop.admin.error_views.permission_denied"
handler404 = "shop.admin.error_views.page_not_found"
handler500 = "shop.admin.error_views.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # These come before the admin site: they replace views of it, or are for those not signed in.
    path("admin/login/", login.login_view),
    path("admin/password_change/", admin.site.admin_view(login.OwnPasswordPage.as_view())),
    path("admin/password_reset/", password_reset.forgot_password_view, name="admin_password_reset"),
    path(
        "admin/reset/<uidb64>/<token>/",
        password_reset.SetPasswordView.as_view(),
        name=password_reset.SET_PASSWORD,
    ),
    path("admin/search/", admin.site.admin_view(command_search.command_search)),
    path("admin/", admin.site.urls),
    path("api/", unknown_url),
    path("api/", api.urls),
    re_path("^api(/|$)", unknown_url),
    *static("media/", document_root=settings.MEDIA_ROOT),
]
