"""What Kedro-Viz shows of a node beside its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kedro_rats.errors import shown

if TYPE_CHECKING:
    from kedro.pipeline.preview_contract import TextPreview

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Preview(Protocol):
    """What a node shows of itself."""

    def show(self) -> TextPreview:
        """Return the text for Kedro-Viz."""


@dataclass(frozen=True, eq=False)
class FactsPreview:
    """What a node of ours that no user's function stands behind was made for.

    Attributes:
        node_type: The type of the node.
        facts: Pairs of a word and what it says.
    """

    node_type: str
    facts: tuple[tuple[str, str], ...]

    def show(self) -> TextPreview:
        """Return the text for Kedro-Viz."""
        from kedro.pipeline.preview_contract import TextPreview

        return TextPreview(self.text(), meta={"language": "yaml"})

    def text(self) -> str:
        """Return the lines as YAML.

        Example:
            >>> print(FactsPreview("rats.score", (("metrics", "auc"),)).text())
            type: score
            metrics: auc
        """
        lines = [("type", self.node_type.partition(".")[2]), *self.facts]
        return _ADDRESS.sub("", "\n".join(f"{word}: {what}" for word, what in lines))


@dataclass(frozen=True, eq=False)
class NodePreview:
    """A few lines on a node: its type, what it calls, and with which arguments."""

    node_type: str
    subject: Any
    call: str

    def show(self) -> TextPreview:
        """Return the text for Kedro-Viz."""
        from kedro.pipeline.preview_contract import TextPreview

        return TextPreview(self.text(), meta={"language": "yaml"})

    def text(self) -> str:
        """Return the lines as YAML.

        Example:
            >>> print(NodePreview("rats.apply", len, "apply(rows)").text())
            type: apply
            function: builtins.len
            call: apply(rows)
        """
        name = getattr(self.subject, "__qualname__", None)
        name = name or getattr(self.subject, "__name__", None)
        if name is None:
            what = f"object: {_ADDRESS.sub('', shown(self.subject))}"
        else:
            module = getattr(self.subject, "__module__", None)
            what = f"function: {f'{module}.' if module else ''}{name}"
        return f"type: {self.node_type.partition('.')[2]}\n{what}\ncall: {self.call}"
