"""Copies of C code as somebody disguises them: other names, comments and layout, another order of functions,
statements that do nothing. The result need not compile."""

import re
from collections.abc import Mapping

_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_DECLARED = re.compile(r"(?:\*|\b(?:u32|u64|int|bool|unsigned) )(\w+)\b(?=[=;,)]| =)")
_STATEMENT = re.compile(r"\t+(?!return|break|continue|goto)[^#].*;")


def renamed(text: str) -> str:
    """With other names for parameters, variables and the file's own fields, but not for what others use."""
    for name in sorted(set(_DECLARED.findall(text))):
        used = re.search(rf"(\.|->|struct |enum |\(){name}\b|\b{name}\(|sizeof.*\b{name}\b", text)
        if not used and not name.isupper():
            text = re.sub(rf"\b{name}\b", f"my_{name}", text)
    return text


def disguised(files: Mapping[str, str]) -> dict[str, str]:
    """With other names and layout, without the comments, and functions in reverse order."""
    out = {}
    for path, text in files.items():
        if path.endswith(".c"):
            text = "/* All my own. */\n" + renamed(_COMMENT.sub("", text))
            text = "".join(reversed(re.split(r"(?<=\n\}\n)", text)))
            text = text.replace("\t", "    ").replace(") {", ")\n{")
        out[path] = text
    return out


def padded(files: Mapping[str, str], every: int) -> dict[str, str]:
    """With a declaration that does nothing after each statement number @every."""
    out = {}
    for path, text in files.items():
        lines: list[str] = []
        statements = 0
        for line in text.split("\n"):
            lines.append(line)
            if path.endswith(".c") and _STATEMENT.fullmatch(line):
                statements += 1
                lines += ["\tint idle = 0;"] if statements % every == 0 else []
        out[path] = "\n".join(lines)
    return out
