"""Settings of the project, read by Kedro. The defaults are good to start with.

All settings: https://docs.kedro.org/en/stable/configure/configuration_basics/
"""

from __future__ import annotations

import warnings

CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}

# Kedro 1 warns about its own use of OmegaConf: nothing that a project can act on.
warnings.filterwarnings("ignore", r"register_new_resolver\(\) is deprecated")
