"""Timelines: what every CPU and every thread did, as one page to look at. docs/timeline.md tells more.

    model.py       what a timeline is, and its JSON
    from_trace.py  a kernel's trace as a model;  sources.py  which source line said what
    page.py        a model as one HTML file, of the parts in page/
    perfetto.py    a model as JSON for Perfetto and chrome://tracing
    record.py      boots a command deterministically and takes the trace out of its memory

A program that has a model, such as a simulator of schedules, calls write().
"""

from tools.timeline.model import Model
from tools.timeline.output import write, write_page

__all__ = ["Model", "write", "write_page"]
