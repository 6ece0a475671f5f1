"""A mail server that tests can make refuse, hang or die."""

import itertools
import re
import socketserver
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much of RFC 5321 as smtplib needs, and counts the mails that it has taken.

    `answer` decides: it gets the recipient and the text, and returns the reply to a mail; replies
    from 400 on are refusals, and None hangs up without a reply.
    """

    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self, answer=lambda recipient, text: "250 Taken"):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answer = answer
        self.lock = threading.Lock()
        #: Subject -> number of mails taken.
        self.taken = Counter()
        self.has_taken, self.stopped = threading.Event(), threading.Event()

    def handle_error(self, request, client_address):
        """Ignore a client that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    """One connection of a client."""

    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.reply("220 ready")
        recipient = ""
        for line in self.rfile:
            command = line.decode().strip()
            verb = command[:4].upper()
            if verb == "RCPT":
                recipient = re.search("<(.*)>", command)[1]
            if verb == "DATA":
                self.reply("354 go on")
                if not self.take(recipient, b"".join(iter(self.rfile.readline, b".\r\n"))):
                    return
            elif verb == "QUIT":
                self.reply("221 bye")
                return
            else:
                self.reply("250 fine")

    def take(self, recipient, text):
        """Decide about a mail; return False to hang up."""
        reply = self.server.answer(recipient, text.decode())
        if reply is None:
            return False
        is_taken = reply.startswith("2")
        if is_taken:
            subject = re.search("^Subject: (.*?)\r$", text.decode(), re.MULTILINE)[1]
            with self.server.lock:
                self.server.taken[subject] += 1
        self.reply(reply)
        if is_taken:
            self.server.has_taken.set()
        return True

    def finish(self):
        """Close the connection; the client may be dead."""
        with suppress(OSError):
            super().finish()


def moody_answer():
    """Return an `answer` that takes most mails, and refuses some or hangs up."""
    replies = itertools.cycle(["250 Taken"] * 7 + ["451 Greylisted", "421 Closing", None])
    return lambda _recipient, _text: next(replies)


@contextmanager
def serving_mail(**options):
    """Run a mail server in a thread, and yield it."""
    with MailServer(**options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
