# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory: Debian packages, boot images and QEMU hosts for Serai's tests and demos.

Only Python's standard library is used, but by schema.py. Everything made is kept under build/cache, named after
what it was made from, so that a second run finds it and a changed input makes a new one.
"""
import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SERAI_WORK", TOP / "build"))
CACHE = pathlib.Path(os.environ.get("SERAI_CACHE", BUILD / "cache"))
LOGS = pathlib.Path(os.environ.get("SERAI_LOGS", BUILD / "logs"))


class LabError(Exception):
    """Something the laboratory needs is not there or did not work; the text says what to do."""
