"""Texts that mean something to a shell, a template, YAML, JSON, SQL or a terminal."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "single quotes": "'''",
    "double quotes": '"""',
    "both quotes": "'\"`\\",
    "a newline": "a\nb",
    "newlines of Windows": "a\r\nb\r",
    "a tag of YAML": "!!python/object/apply:os.system ['id']",
    "an expression": "{{=1+1}}",
    "an expression inside": "x-{{=1+1}}-{{workflow.name}}-y",
    "a variable": "{{workflow.name}}",
    "a variable of the task": "{{inputs.parameters.task}}",
    "half a variable": "{{",
    "the other half": "}}",
    "a template of Jinja": "{% raw %}{# x #}{{ 7*7 }}",
    "a command": "$(id)",
    "a command in backticks": "`id`",
    "a command behind": "x; id #",
    "a variable of a shell": "$HOME %HOME%",
    "a format": "%s %(x)s {0} {x}",
    "options": "--help",
    "control characters": "\x01\x07\x08\x0b\x1b[31m\x7f",
    "a zero": "a\x00b",
    "separators of lines": "a\x85b\u2028c\u2029d",
    "another direction": "\u202eabc",
    "another plane": "\U0001f40d\U0010ffff",
    "no character": "\ufeff\ufffe\uffff",
    "a path": "../../etc/passwd",
    "spaces": "  \t  ",
    "nothing": "",
    "a number": "1e3",
    "no value": "null",
}

# As names: what Kedro allows of nodes and tags, and all that it allows of datasets and
# namespaces.
DATASETS = [
    "{{workflow.name}}",
    "{{=1+1}}",
    "$(id)",
    "`id`",
    "'\"",
    "a b;c",
    "x\ny",
    "\x07\x1b[31m",
    "--help",
    "%s",
    "\u00fcn\u00ef",
]
NODES = ["-n", "..", "--help", "\u00fcn\u00ef", "trailing\n", "a.b.c", "_"]
NAMESPACES = ["{{workflow.name}}", "{{=1+1}}", "$(id)", "'\"", "a b"]
PIPELINE = "{{workflow.name}}"
