"""The starter that ``kedro new --starter=rats`` uses."""

from __future__ import annotations

from pathlib import Path

from kedro.framework.cli.starters import KedroStarterSpec

import kedro_rats


def starter_path() -> Path:
    """Return where the template is: inside an installed wheel, or in the checkout."""
    package = Path(kedro_rats.__file__).parent
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent / "starter"


specs = [KedroStarterSpec(alias="rats", template_path=str(starter_path()))]
