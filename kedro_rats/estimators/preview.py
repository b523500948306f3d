"""What Kedro-Viz shows of a node beside its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import shown

if TYPE_CHECKING:
    from kedro.pipeline.preview_contract import TextPreview

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


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
