"""Judges an OpenAPI document, read from standard input, by openapi-spec-validator; prints each fault, then its verdict.
"""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

faults = list(OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors())
for fault in faults[:20]:
    print(f"bad: {'/'.join(str(part) for part in fault.absolute_path)}: {fault.message[:300]}")
print("bad" if faults else "good")
