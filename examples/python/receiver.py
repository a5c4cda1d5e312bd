#!/usr/bin/env python3
"""A receiver of Tradewind's deliveries, with Python's standard library alone (3.9 and later).

    WEBHOOK_SECRET=whsec_... WEBHOOK_PROFILE=synq python3 receiver.py 8081

WEBHOOK_SECRET may hold several secrets parted by blanks: during a rotation, the old and the new one.
"""

import base64
import binascii
import collections
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The header that a profile has beside the webhook-* ones, which every delivery carries.
PROFILE_HEADERS = {
    "synq": "Synq-Signature",
    "synthesq": "X-Webhook-Signature",
    "synctec": "X-StoreLink-Signature",
    "standard": None,
}
TOLERANCE_SECONDS = 300
BODY_BYTES_MOST = 2 << 20


class Refused(Exception):
    """Why a request is not accepted. For the log: a stranger is told none of it."""


def standard_key(secret):
    """The key of webhook-signature: what the base64 text behind whsec_ stands for."""
    text = secret[len("whsec_"):] if secret.startswith("whsec_") else secret
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    # A secret that is no base64 text is its own key.
    return key or secret.encode()


def verify(headers, body, secrets, profile, now):
    """Raises Refused unless the bytes of the body were signed with one of the secrets, and lately."""
    # 1. The three headers of Standard Webhooks. They cover the id and the time, so an old delivery can't be replayed.
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused("webhook-id or webhook-timestamp is missing or malformed")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused("the time of signing is too far away from now")
    signed = f"{message_id}.{timestamp}.".encode() + body
    received = [
        entry[len("v1,"):].encode() for entry in headers.get("webhook-signature", "").split() if entry.startswith("v1,")
    ]
    good = False
    for secret in secrets:
        expected = base64.b64encode(hmac.new(standard_key(secret), signed, hashlib.sha256).digest())
        for signature in received:
            # compare_digest takes as long for a near miss as for a far one.
            good |= hmac.compare_digest(expected, signature)
    if not good:
        raise Refused("webhook-signature fits no secret")

    # 2. The profile's own header: lower-case hexadecimal, of the body alone, under the secret's text as it stands.
    name = PROFILE_HEADERS[profile]
    if name is None:
        return
    received = headers.get(name, "").encode()
    good = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        good |= hmac.compare_digest(expected, received)
    if not good:
        raise Refused(f"{name} fits no secret")


class Seen:
    """The ids that were taken, so that a repeat does nothing.

    This one forgets what is old, and everything at a restart. In earnest, make the id a unique column, and write it
    in the transaction of what the event does.
    """

    def __init__(self, most=10_000):
        self.most = most
        self.ids = collections.OrderedDict()
        self.lock = threading.Lock()

    def take(self, message_id, put):
        """Calls put for an id that is new. The id is only kept when that succeeds, so that a retry is new again."""
        with self.lock:
            if message_id in self.ids:
                return False
            put()
            self.ids[message_id] = True
            if len(self.ids) > self.most:
                self.ids.popitem(last=False)
            return True


def handle(message_id, event):
    """What the event is for. It may take its time: the hub was answered already."""
    kind = event.get("event_type") or event.get("event") or event.get("type")
    print(f"handled {message_id} {kind}", flush=True)


def worker(work):
    while True:
        message_id, body = work.get()
        try:
            handle(message_id, json.loads(body))
        except Exception as error:  # one bad event must not end the others' worker
            print(f"failed {message_id}: {error}", flush=True)


def make_handler(secrets, profile, seen, work):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()):
                return self.answer(411, close=True)
            if int(length) > BODY_BYTES_MOST:
                return self.answer(413, close=True)
            # The bytes as they came: JSON that is parsed and written again is not what was signed.
            body = self.rfile.read(int(length))
            try:
                verify(self.headers, body, secrets, profile, time.time())
            except Refused as refused:
                print(f"refused: {refused}", flush=True)
                return self.answer(401)
            message_id = self.headers["webhook-id"]
            try:
                if not seen.take(message_id, lambda: work.put_nowait((message_id, body))):
                    print(f"repeated {message_id}", flush=True)
            except queue.Full:
                return self.answer(503)  # the hub tries again later
            # Answered before the work is done: the hub waits for ten seconds at most.
            self.answer(204)

        def answer(self, status, close=False):
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", "0")
            if close:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


def main():
    secrets = os.environ.get("WEBHOOK_SECRET", "").split()
    profile = os.environ.get("WEBHOOK_PROFILE", "synq")
    if not secrets or profile not in PROFILE_HEADERS:
        sys.exit("set WEBHOOK_SECRET, and WEBHOOK_PROFILE to one of " + ", ".join(PROFILE_HEADERS))
    if any(secret.startswith("whpk_") for secret in secrets):
        sys.exit("Python's standard library has no Ed25519: use a shared secret (whsec_)")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8081
    work = queue.Queue(maxsize=1000)
    threading.Thread(target=worker, args=(work,), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", port), make_handler(secrets, profile, Seen(), work))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
