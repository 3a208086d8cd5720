"""The commands of trellis-grade for instructors. A student's repository has neither this file nor what it
imports."""

import argparse
from pathlib import Path

from grade import bundle, classroom50, flake, matrix, needs, own, sees, steady
from grade.course import commands as course
from grade.similar import command as similar

_ROOT = Path(__file__).resolve().parent.parent


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    steady.add_options(
        commands.add_parser("steady", help=steady.SUMMARY, description=steady.__doc__)
    )
    bundle.add_options(commands.add_parser("gradescope", help=bundle.SUMMARY, description=bundle.__doc__))
    classroom50.add_options(
        commands.add_parser("classroom50", help=classroom50.SUMMARY, description=classroom50.__doc__), _ROOT
    )
    flake.add_options(commands.add_parser("flake", help=flake.SUMMARY, description=flake.__doc__))
    own.add_options(commands.add_parser("own", help=own.SUMMARY, description=own.__doc__))
    sees.add_options(commands.add_parser("sees", help=sees.SUMMARY, description=sees.__doc__))
    needs.add_options(commands.add_parser("needs", help=needs.SUMMARY, description=needs.__doc__))
    matrix.add_options(commands.add_parser("matrix", help=matrix.SUMMARY, description=matrix.HELP))
    course.add_commands(commands, _ROOT)
    similar.add_options(commands.add_parser("similar", help=similar.SUMMARY, description=similar.HELP))


def run(root: Path, options: argparse.Namespace) -> int:
    programs = {"steady": steady.run, "flake": flake.run, "own": own.run, "sees": sees.run}
    programs |= {"needs": needs.run}
    programs |= {"gradescope": bundle.run, "classroom50": classroom50.run}
    programs |= {"matrix": matrix.run, "similar": similar.run}
    return {**programs, **course.COMMANDS}[options.command](root, options)
