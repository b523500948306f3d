"""The command group ``kedro rats``.

Every ``kedro`` command imports this module to list the group, so it imports nothing but
what Kedro has imported already. A command's own module is imported when it is used.
"""

from __future__ import annotations

import click
from kedro.framework.cli.utils import LazyGroup

rats = LazyGroup(
    name="rats",
    help="Plan and run this project's pipelines, and look at what came of it.",
    lazy_subcommands={
        "build": "kedro_rats.cli.build.build",
        "compile": "kedro_rats.cli.compile.compile_",
        "describe": "kedro_rats.cli.describe.describe",
        "doctor": "kedro_rats.cli.doctor.doctor",
        "exec": "kedro_rats.cli.exec.exec_",
        "get": "kedro_rats.cli.get.get",
        "init": "kedro_rats.cli.init.init",
        "list": "kedro_rats.cli.list.list_",
        "logs": "kedro_rats.cli.logs.logs",
        "plan": "kedro_rats.cli.plan.plan",
        "retry": "kedro_rats.cli.retry.retry",
        "run": "kedro_rats.cli.run.run",
        "runs": "kedro_rats.cli.runs.runs",
        "status": "kedro_rats.cli.status.status",
        "stop": "kedro_rats.cli.stop.stop",
        "submit": "kedro_rats.cli.submit.submit",
        "watch": "kedro_rats.cli.watch.watch",
    },
)

# Kedro merges the commands *inside* the group that an entry point names.
commands = click.Group(name="kedro-rats", commands={"rats": rats})
