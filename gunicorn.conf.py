"""Gunicorn configuration: one worker process per core with four threads each.

Each thread keeps its own database connection. `tests/benchmarks/servers.py` compares alternatives.
"""

import os
from pathlib import Path

wsgi_app = "settings.wsgi"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, os.cpu_count() or 1)
threads = 4
limit_request_line = 8190  # bytes of a URL; a filter's parameter may be repeated
keepalive = 5  # seconds; lets a proxy reuse its connections
if Path("/dev/shm").is_dir():  # noqa: S108 - heartbeat files must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108
