"""Judges one delivery by Svix's library, which many receivers of webhooks have.

Reads {"secret", "headers", "body"} as JSON from standard input, the body in base64; prints `good`, or `bad: ` and why.
"""

import base64
import json
import sys

from svix.webhooks import Webhook, WebhookVerificationError

case = json.load(sys.stdin)
try:
    Webhook(case["secret"]).verify(base64.b64decode(case["body"]), case["headers"])
    print("good")
except WebhookVerificationError as error:
    print(f"bad: {error}")
