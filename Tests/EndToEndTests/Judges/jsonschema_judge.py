"""Judges values by the reference implementation of JSON Schema in Python.

Reads a list of {"schema", "values"} as JSON from standard input; prints for each a line of 1 and 0, one a value.
"""

import json
import sys

from jsonschema import Draft202012Validator

for case in json.load(sys.stdin):
    Draft202012Validator.check_schema(case["schema"])
    validator = Draft202012Validator(case["schema"], format_checker=None)
    print("".join("1" if validator.is_valid(value) else "0" for value in case["values"]))
