"""What a browser may load and run, by address (Content-Security-Policy)."""

from typing import Any

from django.utils.csp import CSP

#: For all that is no page: answers of the API, files, redirects, errors.
NOTHING: dict[str, Any] = {
    "default-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
#: A page that loads from here alone. Both Swagger UI and Unfold write styles into their pages.
PAGE = NOTHING | {
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}
#: Alpine, with which Unfold is made, evaluates what stands in attributes. No script stands in a page itself.
BACK_OFFICE = PAGE | {"form-action": [CSP.SELF], "script-src": [CSP.SELF, CSP.UNSAFE_EVAL]}
#: What people have uploaded.
UPLOADED = NOTHING | {"sandbox": True}

BELOW = {"/admin/": BACK_OFFICE, "/api/docs": PAGE, "/media/": UPLOADED}
