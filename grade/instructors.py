"""The commands of trellis-grade for instructors. A student's repository has neither this file nor what it
imports."""

import argparse
from pathlib import Path

from grade import matrix, steady


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    steady.add_options(
        commands.add_parser("steady", help=steady.SUMMARY, description=steady.__doc__)
    )
    matrix.add_options(commands.add_parser("matrix", help=matrix.SUMMARY, description=matrix.HELP))


def run(root: Path, options: argparse.Namespace) -> int:
    return steady.run(root, options) if options.command == "steady" else matrix.run(root, options)
