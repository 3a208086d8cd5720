"""Grading a class: many submissions of a lab, with results that last a term.

    trellis-grade class SUBMISSIONS --lab NAME    class_run.py: grades what has no result yet
    trellis-grade regrade                         the same again, after the tests or hand-ins changed
    trellis-grade override, audit, extract        changes.py: a correction by hand; who changed what, and when
    trellis-grade gradebook --out DIR             gradebook.py: tables and pages
    trellis-grade db migrate FILE                 store.py: a file of an earlier version of the grader

    entries.py      a folder of hand-ins: which entry is whose, when it was handed in, its files
    roster.py       the list of students
    digests.py      what decides a verdict, as two digests: the submission's; tests, reference and grader
    store.py        the database: opening, locking, what SQLite's errors mean; schema.py: tables, migrations
    records.py      the rows: what is added to the database, and what it says
    late.py         the policy for late hand-ins
    standing.py     where each student stands: result, lateness, corrections, points
    gradebook.py    the tables (CSV); pages.py and plot.py: the pages (HTML)

    array_run.py    --engine slurm: submits arrays, collects results, submits again what was lost
    array_task.py   the program that a task of an array runs on its node
    spool.py        the folder through which the two talk; slurm.py: Slurm's commands

All state is one SQLite file. Its tables:

    events          every change, in order: when, by whom, which kind, of which lab and student, in words
    assignments     what `class` was asked for: the folder, ports, seeds, and the judge (see JUDGE below)
    roster          students: id, name, mail address
    handins         what a student has handed in: the entry, when, the files' digest or why it was rejected
    submissions     the files themselves, by digest
    results         the report on the files with a digest by a judge, and its points
    policies        when a lab is due, and what being late costs
    overrides       points that an instructor has set, added or taken away, and why
    undone          the overrides that were taken back

Each row but those of `submissions` belongs to one event. Where a later row replaces an earlier one (a new
hand-in, a new policy), the newest counts and the others stay.

Invariants:

APPEND1  No row is ever changed or deleted: triggers in the database refuse it. A student's points are
         computed from all rows when they are asked for (standing.py).
EVENT1   A row and its event are written in one transaction, so the audit lists every change.
JUDGE1   A result belongs to two digests: of the submission's files, and of the judge, which is all else
         that decides a verdict: tests, the reference without the lab's files, the grader, ports, seeds. There
         is at most one result for each pair. What is left to do is therefore always the same question: which
         digests of present hand-ins have no result by the present judge? Resuming, grading identical
         submissions once, and regrading only what changed are all answers to it.
WHOLE1   Only whole results are stored. A submission with a run that this machine was too slow for, or that
         was interrupted, has none, and is graded again by the next call.

Killed at any moment: one submission's result is one transaction. SQLite writes it to a log beside the file
first (WAL), with the log flushed at each commit, so after a kill or a power cut the file has all results up
to some submission and no part of the next one. The machines that were running end with the grader
(bubblewrap's --die-with-parent). The next call asks the question of JUDGE1 and goes on. One grader at a time
works on a file: it holds a lock (FILE.lock), which the system drops when the process ends in whatever way.

Names, roster and reports contain what students wrote. It is never part of a command, a path or markup: names
of files are made from ids by pages.py, HTML is escaped, and cells of a table cannot begin a formula.
"""
