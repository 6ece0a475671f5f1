"""Dates as the shop's own pages and documents write them, instead of "Nov. 22, 2026, 4:59 p.m."."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
