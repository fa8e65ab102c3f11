#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""serai-json(5) as scdoc text, from docs/schema and what `serai help --json` prints.

  docs/man/serai-json.py docs/schema HELP.json SCHEMADIR >serai-json.5.scd
"""
import json
import pathlib
import re
import sys

KEPT_APART = ("common", "config")


class Page:
    """The schemas of a directory, and the text that is made of them."""

    def __init__(self, where):
        self.schemas = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(where.glob("*.json"))}
        self.out = []
        self.told = set()

    def resolve(self, schema, home):
        """A schema without its reference, and the file it stands in. What stands beside the reference wins."""
        while "$ref" in schema:
            file, _, pointer = schema["$ref"].partition("#")
            home = file.removesuffix(".json") or home
            found = self.schemas[home]
            for part in pointer.split("/")[1:]:
                found = found[part]
            schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema, home

    @staticmethod
    def names(schema, name):
        """Whether this is a reference to a file that has a section of its own."""
        return schema.get("$ref") == f"{name}.json"

    def kind(self, schema, home):
        """The types of a value in words."""
        if self.names(schema, "config"):
            return "object, as under CONFIGURATIONS"
        if "anyOf" in schema:
            return " or ".join(self.kind(s, home) for s in schema["anyOf"])
        schema, home = self.resolve(schema, home)
        if "const" in schema:
            return json.dumps(schema["const"])
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        words = []
        for t in types:
            if t == "array":
                items, _ = self.resolve(schema["items"], home)
                inner = [items["type"]] if isinstance(items["type"], str) else items["type"]
                t = "array of " + " or ".join(f"{w}s" if w != "null" else w for w in inner)
            words.append(t)
        unit = f", {schema['unit']}" if "unit" in schema else ""
        return " or ".join(words) + unit

    def members(self, schema, home, depth):
        """The members of an object, and theirs below them."""
        for name, value in schema["properties"].items():
            whole, where = self.resolve(value, home)
            absent = "" if name in schema["required"] else "; may be absent"
            self.line(depth, f"*{escape(name)}* ({escape(self.kind(value, home))}{absent})")
            text = whole.get("description", "")
            values = [json.dumps(v) for v in whole.get("enum", [])]
            if values and not all(re.search(rf"\b{re.escape(v.strip(chr(34)))}\b", text) for v in values):
                text += f" One of {', '.join(values)}."
            self.line(depth + 1, escape(text))
            self.line(0, "")
            if not any(self.names(s, "config") for s in (value, *value.get("anyOf", []))):
                self.below(value if value.get("$ref") in self.told else whole, where, depth + 1)

    def below(self, schema, home, depth):
        """What an array or an object has in it, once in a section."""
        if schema.get("$ref") in self.told:
            return
        if schema.get("$ref", "").startswith("#"):
            self.told.add(schema["$ref"])
        schema, home = self.resolve(schema, home)
        if "items" in schema:
            self.below(schema["items"], home, depth)
        elif "properties" in schema:
            self.members(schema, home, depth)

    def form(self, schema, home):
        """One form of what a command prints."""
        if "title" in schema:
            self.line(0, f"_{escape(schema['title'])}_:")
            self.line(0, "")
        self.below(schema, home, 0)

    def command(self, name, verbs):
        """The section of one schema, and the verbs that print it."""
        schema = self.schemas[name]
        self.told = set()
        self.line(0, f"## {name}")
        self.line(0, "")
        others = [v["verb"] for v in verbs if v["schema"] == name and v["verb"] != name]
        more = f" Of the verbs {', '.join([name, *others])}." if others else ""
        shape = "" if "anyOf" in schema else {"array": " An array.", "object": " An object."}.get(schema.get("type"), "")
        said = f" {schema['description']}" if "description" in schema else ""
        self.line(0, escape(f"{schema['title']}.{more}{shape}{said}"))
        self.line(0, "")
        if self.names(schema, "config"):
            self.line(0, "An object, as under CONFIGURATIONS.")
            self.line(0, "")
            return
        for form in schema.get("anyOf", [{k: v for k, v in schema.items() if k != "title"}]):
            self.form(form, name)

    def line(self, depth, text):
        self.out.append("\t" * depth + text)

    def text(self, verbs, installed):
        """All of the page."""
        self.out = ["serai-json(5)", "", "; SPDX-License-Identifier: GPL-2.0-or-later", "", "# NAME", "",
                    "serai-json - what serai prints with --json", "", "# DESCRIPTION", "",
                    "Every verb of *serai*(1) that prints something for people prints it as JSON (RFC 8259) with *--json*. "
                    "This page is made of the JSON Schemas (draft 2020-12) that are installed with it, a file for every form; "
                    "*serai help --json* says which verb has which.", ""]
        for paragraph in self.schemas["common"]["description"].split("\n\n"):
            self.out += [escape(paragraph), ""]
        self.out += ["# FORMS", ""]
        wanted = dict.fromkeys(v["schema"] for v in verbs if v["schema"])
        for name in wanted:
            self.command(name, verbs)
        self.out += ["# CONFIGURATIONS", "", escape(self.schemas["config"]["description"]), ""]
        self.below(self.schemas["config"], "config", 0)
        self.out += ["# FILES", "", f"_{escape(installed)}/\\*.json_", "\tThe schemas.", "", "# SEE ALSO", "",
                     "*serai*(1), *serai.cfg*(5), *serai-stream*(5), *seraid*(8)"]
        left = set(self.schemas) - set(wanted) - set(KEPT_APART)
        if left:
            raise SystemExit(f"no verb prints {', '.join(sorted(left))}")
        return "\n".join(self.out) + "\n"


def escape(text):
    """Text in which nothing is markup."""
    return re.sub(r"([\\_*#\[\]<>`~])", r"\\\1", text)


def main(argv):
    verbs = json.loads(pathlib.Path(argv[2]).read_text(encoding="utf-8"))
    sys.stdout.write(Page(pathlib.Path(argv[1])).text(verbs, argv[3]))


if __name__ == "__main__":
    main(sys.argv)
