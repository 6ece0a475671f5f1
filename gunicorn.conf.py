"""How gunicorn serves, wherever it is started from here: one process a core, four threads each.

`tests/benchmarks/servers.py` compares. Each thread keeps a database connection of its own.
"""

import os
from pathlib import Path

wsgi_app = "settings.wsgi"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, os.cpu_count() or 1)
threads = 4
keepalive = 5  # a proxy's next call needs no new connection
if Path("/dev/shm").is_dir():  # noqa: S108 - a sign of life that waits for no disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108
