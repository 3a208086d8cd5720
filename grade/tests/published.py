"""Other systems' formats, from what they publish: JSON Schemas, and readers of two languages."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_TEXT = {"type": "string"}
_POINTS = {"type": "number", "minimum": 0}

# https://gradescope-autograders.readthedocs.io/en/latest/specs/, read in November 2026.
_SHOWN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
GRADESCOPE: dict[str, Any] = {
    "type": "object",
    "anyOf": [
        {"required": ["score"]},
        {"properties": {"tests": {"items": {"required": ["score"]}}}, "required": ["tests"]},
    ],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": _POINTS,
        "output": _TEXT,
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _SHOWN,
        "stdout_visibility": _SHOWN,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": _POINTS,
                    "status": {"enum": ["passed", "failed"]},
                    "name": _TEXT,
                    "name_format": _FORMAT,
                    "number": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)*$"},
                    "output": _TEXT,
                    "output_format": _FORMAT,
                    "tags": {"type": "array", "items": _TEXT},
                    "visibility": _SHOWN,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {"type": "array", "items": {"type": "object", "required": ["name", "value"]}},
    },
}

# https://docs.prairielearn.com/externalGrading/, read in November 2026: results.json has at most a megabyte.
PRAIRIELEARN: dict[str, Any] = {
    "type": "object",
    "required": ["score"],
    "properties": {
        "gradable": {"type": "boolean"},
        "format_errors": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "message": _TEXT,
        "output": _TEXT,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": _TEXT,
                    "description": _TEXT,
                    "points": _POINTS,
                    "max_points": _POINTS,
                    "message": _TEXT,
                    "output": _TEXT,
                },
            },
        },
    },
}
PRAIRIELEARN_BYTES = 1_000_000

# https://github.com/foundation50/classroom50, schemas/result-v1.schema.json, read in November 2026.
_WHOLE = {"type": "integer", "minimum": 0}
_SOME = {"type": "string", "minLength": 1}
_INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"}
_CLASSROOM50_NEEDS = {
    "schema": {"const": "classroom50/result/v1"},
    "classroom": _SOME,
    "assignment": _SOME,
    "assignment_type": {"enum": ["individual", "group"]},
    "owner": _SOME,
    "submission": {"type": "string", "pattern": "^submit/"},
    "commit": _SOME,
    "release": _SOME,
    "review": _SOME,
    "datetime": _INSTANT,
    "score": _WHOLE,
    "max-score": _WHOLE,
    "tests": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["test-name", "passed", "score", "max-score"],
            "properties": {
                "test-name": _SOME,
                "passed": {"type": "boolean"},
                "score": _WHOLE,
                "max-score": _WHOLE,
            },
        },
    },
}
CLASSROOM50: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": list(_CLASSROOM50_NEEDS),
    "properties": {**_CLASSROOM50_NEEDS, "graded_at": _INSTANT, "submitted_by": {"type": "object"}},
}



def classroom50_faults(result: Mapping[str, Any]) -> list[str]:
    """The rules that the schema's own description leaves to its programs: no score is above its maximum.

    https://github.com/foundation50/classroom50, runner.py of the skeleton, read in November 2026; as is the
    sum, by the wiki's page Advanced-Autograding.
    """
    parts = [result, *result["tests"]]
    scores = [(part["score"], part["max-score"]) for part in parts]
    faults = [f"{score} of {most}" for score, most in scores if score > most]
    for key in ("score", "max-score"):
        if result[key] != sum(test[key] for test in result["tests"]):
            faults.append(f"{key} is not the sum")
    return faults


# The variables that its runner sets for an autograder.py: the wiki's page Advanced-Autograding, read in
# November 2026.
CLASSROOM50_ENVIRONMENT = {
    "CLASSROOM": "os-2026",
    "ASSIGNMENT": "sleep",
    "SUBMISSION_TAG": "submit/2026-11-24T12-00-00Z-abc1234",
    "PAGES_BASE_URL": "https://example.org/classroom50",
    "USERNAME": "ada",
    "OWNER": "ada",
    "ASSIGNMENT_TYPE": "individual",
    "COMMIT_URL": "https://example.org/c",
    "RELEASE_URL": "https://example.org/r",
    "REVIEW_URL": "https://example.org/v",
}

# https://submitty.org/instructor/autograding/validation, section "Python Custom Validator Output", read in
# November 2026: validation_results.json holds either of two objects.
_SUBMITTY_STATUS = {"enum": ["information", "failure", "warning", "success"]}
_SUBMITTY_MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["message", "status"],
        "properties": {"message": _TEXT, "status": _SUBMITTY_STATUS},
    },
}
_SUBMITTY_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
SUBMITTY: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["status", "message"],
            "properties": {"status": {"const": "failure"}, "message": _TEXT},
        },
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["status", "data"],
            "properties": {
                "status": {"const": "success"},
                "data": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["score", "message"],
                    "properties": {
                        "score": _SUBMITTY_FRACTION,
                        "message": {"anyOf": [_TEXT, _SUBMITTY_MESSAGES]},
                        "status": _SUBMITTY_STATUS,
                    },
                    # One text has a status beside it; each of several has its own.
                    "if": {"properties": {"message": _TEXT}},
                    "then": {"required": ["status"]},
                },
            },
        },
    ],
}

# https://docs.autolabproject.com/lab/ and /features/formatted-feedback/, read in November 2026: the last line
# of the output, and the one before it.
AUTOLAB_SCORES: dict[str, Any] = {
    "type": "object",
    "required": ["scores"],
    "additionalProperties": False,
    "properties": {
        "scores": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "number"}},
        "scoreboard": {"type": "array"},
    },
}
AUTOLAB_FEEDBACK: dict[str, Any] = {
    "type": "object",
    "required": ["_presentation", "stages"],
    "properties": {
        "_presentation": {"const": "semantic"},
        "stages": {"type": "array", "items": _TEXT},
    },
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["passed"],
            "properties": {"passed": {"type": "boolean"}},
        },
    },
}


def tap_points(text: str) -> list[tuple[bool, str]]:
    """The test points of a stream of TAP 14. ValueError: it is none.

    https://testanything.org/tap-version-14-specification.html, read in November 2026.
    """
    lines = iter(text.splitlines())
    if next(lines) != "TAP version 14":
        raise ValueError("no version line")
    plan = re.fullmatch(r"1\.\.(\d+)", next(lines))
    if plan is None:
        raise ValueError("no plan")
    found: list[tuple[bool, str]] = []
    for line in lines:
        point = re.fullmatch(r"(not )?ok (\d+)(?: - ((?:[^\\#]|\\[\\#])*))?", line)
        if point is not None:
            if int(point[2]) != len(found) + 1:
                raise ValueError(f"out of order: {line}")
            found.append((point[1] is None, re.sub(r"\\(.)", r"\1", point[3] or "")))
        elif line == "  ---":
            if not found or found[-1][0]:
                raise ValueError("diagnostics of no failed test")
            while (line := next(lines, "")) != "  ...":
                # YAML 1.2, 5.7: \u names one character, so half of a pair names none.
                if not re.fullmatch(r"  [a-z]+: \S.*", line) or re.search(r"\\u[dD][89a-fA-F]", line):
                    raise ValueError(f"not YAML as ours: {line}")
        elif not line.startswith("#"):
            raise ValueError(f"unknown: {line}")
    if len(found) != int(plan[1]):
        raise ValueError(f"{plan[1]} planned, {len(found)} found")
    return found


def junit_cases(text: str) -> list[tuple[bool, str]]:
    """The test cases of JUnit XML, as https://github.com/testmoapp/junitxml describes it (November 2026)."""
    top = ElementTree.fromstring(text)
    if top.tag != "testsuites":
        raise ValueError(f"it begins with {top.tag}")
    found = []
    for suite in top:
        cases = list(suite)
        failed = [case for case in cases if case.find("failure") is not None]
        if suite.tag != "testsuite" or any(case.tag != "testcase" for case in cases):
            raise ValueError("something else in a suite")
        if (int(suite.attrib["tests"]), int(suite.attrib["failures"])) != (len(cases), len(failed)):
            raise ValueError("wrong sums")
        if any(not case.get("classname") or any(f.get("message") is None for f in case) for case in cases):
            raise ValueError("an attribute is missing")
        found += [(case not in failed, case.attrib["name"]) for case in cases]
    return found
