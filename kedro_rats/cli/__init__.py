"""The command group ``kedro rats``.

Every ``kedro`` command imports this module to list the group, so it imports nothing but
what Kedro has imported already. A command's own module is imported when it is used.
"""

from __future__ import annotations

import click
from kedro.framework.cli.utils import LazyGroup

rats = LazyGroup(
    name="rats",
    help="Look at estimators in this project's pipelines.",
    lazy_subcommands={"describe": "kedro_rats.cli.describe.describe"},
)

# Kedro merges the commands *inside* the group that an entry point names.
commands = click.Group(name="kedro-rats", commands={"rats": rats})
