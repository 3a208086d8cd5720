"""`make portability`: runs the README's two commands on fresh systems, and compares the verdicts.

    distributions.py    which ones, and where their archives are: the machine's own apt knows
    roots.py            a root file system of each, built once, unpacked afresh; commands inside
    checks.py           what is tried in one
    table.py            what came out, compared, and as the table of docs/grader.md
"""
