"""trellis-grade: builds a submission, boots each test in its own QEMU, judges what happened.

How a verdict comes about, and where to read it:

    lab.py          what a lab consists of: files, properties and their points, tests (labs/*/lab.toml)
    intake.py       takes the editable files out of what was handed in, and nothing else: out of folders
                    (submission.py), archives (archives.py), git bundles and clones (clones.py)
    build.py        copies them over the reference and compiles in a sandbox, with limits (making.py);
                    complaints.py says what failed
    machine.py      boots one test deterministically and gathers the evidence
    protocol.py     reads the tagged lines of the in-kernel test runner (kernel/test/ktest.c)
    recipe.py       refuses a QEMU on which the same machine does not run the same way twice
    trace.py        reads the trace rings out of guest memory, with elf.py
    image.py        compares the code in guest memory with what was built
    properties.py   judges of the trace: pure functions from records to violations
    verdict.py      turns evidence into a verdict: pass, fail, hang, panic, ...
    causes.py       finds one mistake that ended many runs
    score.py        turns verdicts into points; results.py keeps them, report.py and timeline.py print them
    formats/        the same for Gradescope, CI and other systems
    home.py         in a student's repository: what would be handed in counts, and nothing else
    engine.py       many runs at once; cli.py and replay.py are the commands
    mutants.py, mistakes.py, patch.py, matrix.py    check that wrong kernels are caught (make matrix)
    steady.py       checks that the verdict is the same every time; flake.py counts false failures
    bundle.py       the zip file of a Gradescope assignment
    classroom50.py, autograder.py    the two files of a Classroom 50 assignment
    own.py          scores the tests that a student has written, on wrong and right kernels
    course/         grades a class, and keeps its results in a database
    instructors.py  the commands that need these; a student's repository has none of the last seven lines

A verdict depends on the submission and the seed and on nothing else: no wall time, path, process
id or nonce may reach a report.
"""
