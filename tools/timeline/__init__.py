"""Timelines: a page that shows what every CPU and every thread did. docs/timeline.md says more.

    model.py       the model of a timeline, and its JSON
    from_trace.py  turns a kernel's trace into a model;  sources.py finds the source line of a record
    page.py        turns a model into one HTML file, from the parts in page/
    perfetto.py    a model as JSON for Perfetto and chrome://tracing
    record.py      boots a command deterministically and takes the trace out of its memory

A program that has a model, such as a simulator of schedules, calls write().
"""

from tools.timeline.model import Model
from tools.timeline.output import write, write_page

__all__ = ["Model", "write", "write_page"]
