"""Judges the one signature header of a profile as the libraries of Stripe and GitHub do, with nothing but Python's own
hmac: the digest is made anew and compared in constant time.

Reads {"secret", "header", "headers", "body"} as JSON from standard input: `header` is the name of the header that holds
the hexadecimal HMAC-SHA256 of the body, the body is in base64. Prints `good`, or `bad: ` and why.
"""

import base64
import hashlib
import hmac
import json
import sys

case = json.load(sys.stdin)
headers = {name.lower(): value for name, value in case["headers"].items()}
received = headers.get(case["header"].lower())
expected = hmac.new(case["secret"].encode(), base64.b64decode(case["body"]), hashlib.sha256).hexdigest()
if received is None:
    print("bad: no such header")
else:
    print("good" if hmac.compare_digest(expected, received) else "bad: another signature")
