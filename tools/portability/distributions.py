"""Which distributions are tried, and how apt reaches their archives.

No archive's address is written here: it is the one that this machine's apt uses, or an option's.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Settings of apt without which an archive may not be reached from here, or not be trusted.
_CARRIED = re.compile(r"^Acquire::(Check-[\w-]+|https?::Proxy\S*|Retries) ")


@dataclass(frozen=True)
class Distribution:
    name: str
    title: str
    family: str  # the last part of its archive's address
    suite: str
    components: str = "main"


DISTRIBUTIONS = (
    Distribution("debian-12", "Debian 12", "debian", "bookworm"),
    Distribution("debian-13", "Debian 13", "debian", "trixie"),
    Distribution("debian-unstable", "Debian unstable", "debian", "sid"),
    Distribution("ubuntu-24.04", "Ubuntu 24.04", "ubuntu", "noble", "main,universe"),
)


@dataclass(frozen=True)
class Archives:
    """Address by family, and apt's options that go with them."""

    addresses: Mapping[str, str]
    options: Sequence[str]


def _said(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def archives_of(sources: Sequence[str], settings: Sequence[str]) -> Archives:
    """@sources are apt's repositories, "ADDRESS SUITE" each; @settings what apt-config dumps."""
    addresses: dict[str, str] = {}
    for source in sources:
        address, _, suite = source.partition(" ")
        family = address.rstrip("/").rpartition("/")[2]
        if "security" not in suite:
            addresses.setdefault(family, address)
    return Archives(addresses, [s.rstrip(";") for s in settings if _CARRIED.match(s)])


def archives(given: Mapping[str, str]) -> Archives:
    """This machine's; @given addresses replace those that apt has."""
    sources = _said("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)")
    found = archives_of(sources, _said("apt-config", "dump"))
    return Archives({**found.addresses, **given}, found.options)
