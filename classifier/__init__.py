"""Linesift: say of each line of a web page's text dump whether it is content or boilerplate."""

from .model import Model, Preset
from .model_file import ModelError, load_model
from .page import Page, read_page
from .result import PageResult
from .site_memory import SiteMemory, SiteMemoryError
from .span import BOILERPLATE, CONTENT, Label, Span

__all__ = [
    "BOILERPLATE",
    "CONTENT",
    "Label",
    "Model",
    "ModelError",
    "Page",
    "PageResult",
    "Preset",
    "SiteMemory",
    "SiteMemoryError",
    "Span",
    "load_model",
    "read_page",
]

__version__ = "0.1.0"
