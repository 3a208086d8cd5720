"""Writes a model in the form that the name of the file implies."""

from __future__ import annotations

import json
from pathlib import Path

from tools.timeline import perfetto
from tools.timeline.model import Model, to_json
from tools.timeline.page import write_page

__all__ = ["write", "write_page"]


def write(model: Model, path: Path) -> None:
    """NAME.html: the page. NAME.model.json: the model itself. NAME.json: for Perfetto."""
    if path.suffix == ".html":
        write_page(model, path)
    elif path.name.endswith(".model.json"):
        path.write_text(to_json(model), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(perfetto.events(model)), encoding="utf-8")
    else:
        raise ValueError(f"{path}: the name must end with .html, .json or .model.json")
