"""Formats of test results that many tools read: JUnit XML and the Test Anything Protocol."""

import json
import re
from xml.etree import ElementTree

from grade.formats import rows
from grade.results import Report

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(whole: Report) -> str:
    """A suite for each lab. There is no standard; this is what https://github.com/testmoapp/junitxml (as of
    2026-11) gathers of the tools that write and read it."""
    top = ElementTree.Element("testsuites", name="trellis")
    for lab in whole.labs:
        found = rows.of_lab(lab)
        failed = sum(not row.passed for row in found)
        suite = ElementTree.SubElement(
            top, "testsuite", name=lab.name, tests=str(len(found)), failures=str(failed), errors="0"
        )
        for row in found:
            name = _NOT_IN_XML.sub("?", row.name)
            home = f"{lab.name}.step{row.result.step}"
            case = ElementTree.SubElement(suite, "testcase", name=name, classname=home)
            if not row.passed:
                lost = row.result.points - row.result.earned
                failure = ElementTree.SubElement(case, "failure", message=f"{lost:g} points lost")
                failure.text = _NOT_IN_XML.sub("?", row.told)
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


def tap(whole: Report) -> str:
    """https://testanything.org/tap-version-14-specification.html, as of 2026-11. The diagnostics are YAML; a
    string of JSON is one of YAML, too."""
    found = rows.of(whole)
    lines = ["TAP version 14", f"1..{len(found)}"]
    for n, row in enumerate(found, 1):
        name = re.sub(r"([\\#])", r"\\\1", " ".join(row.name.split()))
        lines.append(f"{'ok' if row.passed else 'not ok'} {n} - {name}")
        if not row.passed:
            lines += ["  ---", f"  points: {row.result.earned:g}", f"  of: {row.result.points:g}"]
            lines += [f"  message: {json.dumps(row.told, ensure_ascii=False)}", "  ..."]
    return "\n".join([*lines, f"# {rows.in_one_line(whole)}"]) + "\n"
