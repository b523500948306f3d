"""Nodes that say what they were given, and what they were called."""

from __future__ import annotations

from typing import Any


def exact(value: Any) -> Any:
    """Return a value in a form in which nothing can be lost: bytes as digits."""
    if isinstance(value, dict):
        return [[exact(key), exact(part)] for key, part in value.items()]
    return value.encode("utf-8", "surrogatepass").hex()


def said(word: str) -> list[str]:
    return [word]


def joined(*words: list[str]) -> int:
    return len(words)
