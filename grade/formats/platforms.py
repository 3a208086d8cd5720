"""Platforms that run a grader and read one document from it."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from grade import report
from grade.errors import GraderError
from grade.formats import rows
from grade.results import Report

_LIMIT = 900_000  # bytes: PrairieLearn takes a megabyte
_ESCAPED = 4  # times as long may a text be as JSON: newlines, quotes, UTF-8


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"


def gradescope(whole: Report) -> str:
    """https://gradescope-autograders.readthedocs.io/en/latest/specs/, as of 2026-11."""
    found = rows.of(whole)
    room = rows.share(_LIMIT // _ESCAPED, found)
    tests = [
        {
            "name": row.name,
            "number": f"{row.result.step}.{n}",
            "score": row.result.earned,
            "max_score": row.result.points,
            "status": "passed" if row.passed else "failed",
            "output": rows.cut(row.told, room),
            "output_format": "text",
            "tags": [row.lab, row.step],
            "visibility": "visible",
        }
        for n, row in enumerate(found, 1)
    ]
    return _json({
        "score": whole.earned,
        "output": rows.in_one_line(whole),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"labs": [lab.name for lab in whole.labs], "ports": list(whole.arches)},
        "tests": tests,
    })  # fmt: skip


def prairielearn(whole: Report) -> str:
    """https://docs.prairielearn.com/externalGrading/, as of 2026-11. A kernel that does not compile is not
    gradable, which costs no attempt."""
    if errors := rows.build_errors(whole):
        return _json({
            "gradable": False,
            "format_errors": [rows.cut("\n".join(errors), _LIMIT // _ESCAPED)],
            "score": 0.0,
            "message": "it does not compile",
        })  # fmt: skip
    found = rows.of(whole)
    room = rows.share(_LIMIT // _ESCAPED, found)
    tests = [
        {
            "name": row.result.id,
            "description": row.result.text,
            "points": row.result.earned,
            "max_points": row.result.points,
            "output": rows.cut(row.told, room),
        }
        for row in found
    ]
    score = whole.earned / whole.points if whole.points else 0.0
    return _json({
        "gradable": True,
        "score": round(score, 6),
        "message": rows.in_one_line(whole),
        "tests": tests,
    })  # fmt: skip


def autolab(whole: Report) -> str:
    """https://docs.autolabproject.com/lab/ and .../features/formatted-feedback/, as of 2026-11. The problems
    of the assessment are called as the labs are."""
    stages: dict[str, dict[str, dict[str, bool]]] = {}
    for lab in whole.labs:
        for row in sorted(rows.of_lab(lab), key=lambda row: row.result.step):
            title = f"{lab.name}, {row.step}" if len(whole.labs) > 1 else row.step
            stages.setdefault(title, {})[row.result.id] = {"passed": row.passed}
    feedback: dict[str, object] = {"_presentation": "semantic", "stages": list(stages), **stages}
    scores = {"scores": {lab.name: lab.earned for lab in whole.labs}}
    return f"{report.text(whole)}\n{json.dumps(feedback)}\n{json.dumps(scores)}\n"


def submitty(whole: Report) -> str:
    """validation_results.json, as https://submitty.org/instructor/autograding/validation tells it of Python
    custom validators, as of 2026-11. One such file stands for the whole report, so its score is a fraction of
    the points that the testcase has in config.json. A run that this machine was too slow for is no student's
    failure: then the document says that the validator has failed, and Submitty tells instructors alone."""
    if any(lab.unjudged for lab in whole.labs):
        return _json({"status": "failure", "message": rows.in_one_line(whole)})
    found = rows.of(whole)
    room = rows.share(_LIMIT // _ESCAPED, found)
    messages = [{"message": rows.in_one_line(whole), "status": "information"}]
    if errors := rows.build_errors(whole):
        told = rows.cut("\n".join(["it does not compile", *errors]), _LIMIT // _ESCAPED)
        messages.append({"message": told, "status": "failure"})
    else:
        messages += [
            {
                "message": row.name if row.passed else f"{row.name}\n{rows.cut(row.told, room)}".rstrip(),
                "status": "success" if row.passed else "failure",
            }
            for row in found
        ]
    score = whole.earned / whole.points if whole.points else 0.0
    return _json({"status": "success", "data": {"score": round(score, 6), "message": messages}})


_RUNNER = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "owner": "OWNER",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}
_HUNDREDTHS = 100  # scores are whole numbers there
# In a container the clone may belong to another user, which git refuses without being told.
_DATE = ["git", "-c", "safe.directory=*", "log", "-1"]
_DATE += ["--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd"]


def _commit_date() -> str:
    """The date of the commit that is graded, in UTC: the runner starts its grader in the student's clone."""
    try:
        in_utc = {**os.environ, "TZ": "UTC"}
        made = subprocess.run(_DATE, env=in_utc, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise GraderError("classroom50: git log tells no date: this is no clone of a submission") from e
    return made.stdout.strip()


def classroom50(whole: Report) -> str:
    """schemas/result-v1.schema.json of https://github.com/foundation50/classroom50, as of 2026-11. Scores are
    in hundredths of a point."""
    missing = [name for name in _RUNNER.values() if not os.environ.get(name)]
    if missing:
        names = ", ".join(missing)
        raise GraderError(f"classroom50: its runner sets {names}, and this environment does not")
    tests = [
        {
            "test-name": row.name,
            "passed": row.passed,
            "score": round(row.result.earned * _HUNDREDTHS),
            "max-score": round(row.result.points * _HUNDREDTHS),
            "output": row.told,
        }
        for row in rows.of(whole)
    ]
    return _json({
        "schema": "classroom50/result/v1",
        **{field: os.environ[name] for field, name in _RUNNER.items()},
        "assignment_type": os.environ.get("ASSIGNMENT_TYPE") or "individual",
        "review": os.environ.get("REVIEW_URL") or os.environ["COMMIT_URL"],
        "datetime": _commit_date(),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    })  # fmt: skip
