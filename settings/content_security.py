"""Content-Security-Policy per URL prefix: what a browser may load and run."""

from typing import Any

from django.utils.csp import CSP

#: For responses that are not pages: API responses, files, redirects, errors.
DENY_ALL: dict[str, Any] = {
    "default-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
#: Pages that load from this site only. Swagger UI and Unfold both use inline styles.
PAGE = DENY_ALL | {
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}
#: Unfold uses Alpine, which evaluates attributes as code. Inline scripts stay forbidden.
ADMIN = PAGE | {"form-action": [CSP.SELF], "script-src": [CSP.SELF, CSP.UNSAFE_EVAL]}
#: Files that users uploaded.
UPLOADS = DENY_ALL | {"sandbox": True}

POLICY_BY_PREFIX = {"/admin/": ADMIN, "/api/docs": PAGE, "/media/": UPLOADS}
