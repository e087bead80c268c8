"""Writes the static site: `python -m widgets.site OUT`; with `--lite` also the notebooks that run in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

from widgets.site import lite
from widgets.site.build import LARGEST, Site, size_of
from widgets.site.wheels import NotBuilt


def main(arguments: list[str] | None = None) -> None:
    """Write the site into the folder that the arguments name, and print how large it is."""
    parser = argparse.ArgumentParser(prog="python -m widgets.site", description=__doc__)
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder of the site; it is made if it does not exist")
    parser.add_argument("--lite", action="store_true", help="write the notebooks that run in the browser, too")
    parser.add_argument("--source", default="", metavar="ADDRESS", help="where the repository's files can be read")
    asked = parser.parse_args(arguments)
    began = perf_counter()
    Site(asked.out, asked.source, asked.lite).write()
    size = size_of(asked.out)
    if size > LARGEST:
        raise SystemExit(
            f"{asked.out} has {size:,} bytes; allowed are {LARGEST:,}. A run is too long, or stands twice."
        )
    print(f"{asked.out}: {size:,} bytes without the notebooks, in {perf_counter() - began:.0f} s")
    if asked.lite:
        try:
            lite.write(asked.out)
        except NotBuilt as problem:
            raise SystemExit(f"The notebooks for the browser were not written. {problem}") from None


if __name__ == "__main__":
    main()
