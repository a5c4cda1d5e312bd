"""Judges the asymmetric signatures of one delivery by PyNaCl, as Standard Webhooks describes them.

Reads {"secret", "headers", "body"} as JSON from standard input: the secret is a public key `whpk_...`, the body in
base64. Prints `good`, or `bad: ` and why.
"""

import base64
import json
import sys

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

case = json.load(sys.stdin)
headers = {name.lower(): value for name, value in case["headers"].items()}
key = VerifyKey(base64.b64decode(case["secret"].removeprefix("whpk_")))
signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + base64.b64decode(case["body"])
verdict = "bad: no v1a signature"
for entry in headers["webhook-signature"].split():
    version, signature = entry.split(",", 1)
    if version != "v1a":
        continue
    try:
        key.verify(signed, base64.b64decode(signature))
        verdict = "good"
        break
    except BadSignatureError as error:
        verdict = f"bad: {error}"
print(verdict)
