#!/usr/bin/env python3
"""Writes compile_commands.json, from which clangd and clang-tidy learn how each file is compiled."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--command", required=True, help="compiler and flags")
    parser.add_argument("sources", nargs="*")
    options = parser.parse_args()

    here = str(Path.cwd())
    command = shlex.split(options.command)
    entries = [
        {"directory": here, "file": source, "arguments": [*command, "-c", source]}
        for source in options.sources
    ]
    options.output.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
