# SPDX-License-Identifier: GPL-2.0-or-later
"""What serai prints with --json, held against docs/schema."""
import functools
import json
import warnings

from . import TOP

WHERE = TOP / "docs" / "schema"


@functools.cache
def load(name):
    """The schema of that name."""
    return json.loads((WHERE / f"{name}.json").read_text(encoding="utf-8"))


def names():
    """Of every schema there is."""
    return sorted(p.stem for p in WHERE.glob("*.json"))


@functools.cache
def validator(name):
    """One for that schema; its references are file names."""
    import jsonschema       # pylint: disable=import-outside-toplevel
    with warnings.catch_warnings():
        # Debian 12's has nothing else; later ones would rather have another.
        warnings.simplefilter("ignore", DeprecationWarning)
        base = (WHERE / f"{name}.json").as_uri()
        resolver = jsonschema.RefResolver(base, load(name))
    return jsonschema.Draft202012Validator(load(name), resolver=resolver)


def leaves(error):
    """The complaints that say most: of several forms, those about the one that comes nearest."""
    if not error.context:
        return [error]
    forms = {}
    for e in error.context:
        forms.setdefault(e.schema_path[0], []).append(e)
    nearest = max(forms.values(), key=lambda es: (max(len(e.path) for e in es), -len(es)))
    return [x for e in nearest for x in leaves(e)]


def complaints(name, value):
    """What is wrong with it, a line each; nothing when it is as the schema says."""
    return [f"{'/'.join(str(p) for p in e.absolute_path) or 'all of it'}: {e.message[:300]}"
            for error in validator(name).iter_errors(value) for e in leaves(error)]


def texts(data):
    """The JSON texts that follow each other in an output."""
    decoder, found, at = json.JSONDecoder(), [], 0
    data = data.strip()
    while at < len(data):
        value, end = decoder.raw_decode(data, at)
        found.append(value)
        at = end + len(data[end:]) - len(data[end:].lstrip())
    return found


def check(name, data):
    """Complaints about an output, which has to be UTF-8, JSON, and as the schema of that name says."""
    try:
        values = texts(data.decode("utf-8"))
    except ValueError as e:
        return [f"no JSON: {e}"]
    return [c for v in values for c in complaints(name, v)] if values else ["nothing was printed"]


def checker(name):
    """A function of a file that a host posts, for the laboratory's web server."""
    def take(file):
        bad = check(name, file.read())
        return not bad, "".join(f"{b}\n" for b in bad[:20])
    return take
