"""Records: the dumps of a crawl with what is known of each, and those that cannot be read."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

__all__ = ["BadRecord", "MissingExtraError", "Record", "SourceError", "load_extra", "site_of"]


class SourceError(ValueError):
    """A source that cannot be used at all; the message says why, in one sentence."""


class MissingExtraError(SourceError):
    """A library is not there that an extra of this distribution installs."""


@dataclass(frozen=True)
class Record:
    """One dump of a source.

    Attributes
    ----------
    id : str
        The record's own name, or where it stands: file and line, record or row, from 1.
    text : str or bytes
        The dump; bytes where the source does not tell the encoding.
    url, site : str or None
        Address of the page, and its site: the ``site`` that the record names, or else what
        :func:`site_of` says of the address.
    rest : mapping
        All fields of the record but its text, as they were read.
    """

    id: str
    text: str | bytes
    url: str | None = None
    site: str | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRecord:
    """A record, or the remainder of a source, that cannot be read.

    Attributes
    ----------
    id : str
        As for :class:`Record`.
    source : str
        Name of the file.
    position : int
        Line, record or row of the file, from 1; 0 for the file as a whole.
    reason : str
        What was expected and what was found.
    """

    id: str
    source: str
    position: int
    reason: str


def load_extra(module: str, extra: str, purpose: str) -> Any:
    """Import a module that comes with an extra.

    Parameters
    ----------
    module, extra : str
        Name of the module, and of the extra of this distribution that installs it.
    purpose : str
        What it is needed for.

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0] if not module.startswith("backports") else module
        raise MissingExtraError(
            f"{purpose} needs {name}; install it with pip install 'linesift[{extra}]'"
        ) from None


def site_of(url: str) -> str | None:
    """Return the site of an address: its registrable domain by the Public Suffix List.

    Parameters
    ----------
    url : str

    Returns
    -------
    str or None
        A host without a registrable domain (an IP address, a name of a local network) stands for
        itself; None if the address has no host.

    Raises
    ------
    SourceError
        If the Public Suffix List is not installed.

    References
    ----------
    https://publicsuffix.org/list/, as the package publicsuffixlist ships it; nothing is fetched.

    Examples
    --------
    >>> site_of("https://news.example.co.uk:8443/a?b=c"), site_of("http://127.0.0.1/")
    ('example.co.uk', '127.0.0.1')
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    host = host.rstrip(".") if host else None
    if not host or _is_address(host):
        return host or None
    return _suffixes().privatesuffix(host) or host


def _is_address(host: str) -> bool:
    if not (host[-1].isdigit() or ":" in host):
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> Any:
    return load_extra("publicsuffixlist", "crawl", "the site of a URL").PublicSuffixList()
