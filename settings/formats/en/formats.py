"""Date formats of pages and documents, "22 Nov 2026, 16:59", and of dates that people type.

A date with slashes is refused: 05/11/2026 is 5 November to some, and 11 May to others.
"""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d.%m.%Y"]  # the first is that of the date picker
