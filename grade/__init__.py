"""trellis-grade: builds a submission, boots each test in its own QEMU, judges what happened.

How a verdict comes about, and where to read it:

    lab.py          what a lab asks: files, properties and their points, tests (labs/*/lab.toml)
    submission.py   takes the editable files out of a submission, and nothing else
    build.py        lays them over the reference and compiles in a fence; complaints.py says what failed
    machine.py      boots one test deterministically and gathers the evidence
    protocol.py     the tagged lines of the in-kernel test runner (kernel/test/ktest.c)
    recipe.py       refuses a QEMU on which the same machine does not run the same way twice
    trace.py        the trace rings out of guest memory, by way of elf.py
    properties.py   judges of the trace: pure functions from records to violations
    verdict.py      evidence to verdict: pass, fail, hang, panic, ...
    score.py        verdicts to points, kept in results.py; report.py and timeline.py say it
    engine.py       many runs at once; cli.py and replay.py are the commands
    mutants.py, mistakes.py, patch.py, matrix.py    does it catch what it must? (make matrix)
    steady.py       does it say the same every time?

A verdict depends on the submission and the seed and on nothing else: no wall time, path, process
id or nonce may reach a report.
"""
