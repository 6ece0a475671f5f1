"""Date formats of pages and documents: "22 Nov 2026, 16:59"."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
