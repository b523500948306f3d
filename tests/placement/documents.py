"""A ``rats.yml`` that uses every key, for the tests of this folder."""

from __future__ import annotations

import copy
import io
from typing import Any

from omegaconf import OmegaConf

EVERYTHING = """
store: {uri: s3://bucket/prefix, credentials: dev_s3}
import_limit: 2GiB
image:
  slim: python:3.11-slim
  sklearn:
    ref: registry.example/app@sha256:DIGEST
    pull: IfNotPresent
    pull_secrets: [login]
    build:
      name: registry.example/app
      dockerfile: images/Dockerfile
      context: ..
      target: run
      platform: linux/amd64
      args: {PACKAGES: "a<2 b", BASE: "python:3.11-slim"}
resources:
  small: {cpu: 500m, memory: 2048Mi}
  big:
    cpu: 2
    memory: 16Gi
    disk: 5Gi
    gpu: {count: 1, resource: amd.com/gpu}
    extended: {example.com/fpga: 1}
    limits: {cpu: 4.0, memory: 17Gi, disk: 6Gi}
    node_selector: {pool: gpu}
    tolerations:
      - {key: nvidia.com/gpu, effect: NoSchedule, seconds: 60}
      - {key: team, value: ml}
      - {operator: Exists}
    affinity: {podAffinity: {preferred: [{labelSelector: {}, weight: 1}], all: {}, none: 0}}
    scheduler: volcano
    queue: ml
    priority: high
policy:
  patient:
    retries: 2
    backoff: {delay: 10s, factor: 1.5, max: 5m}
    timeout: 2h
    deadline: 1d
    pending: 30m
    memory_ladder: [4Gi, 8Gi]
bind:
  store:
    env: {AWS_REGION: eu-west-1, EMPTY: ""}
    secrets:
      keys: {env: all, prefix: STORE_}
      db: {env: {PGPASSWORD: password}, files: /etc/db, optional: true}
    config_maps:
      settings: {files: {mount: /etc/app, items: {app.toml: app}, mode: "0444"}}
    volumes:
      /data: {claim: shared, sub_path: a/b, read_only: true}
      /scratch: {scratch: 1Gi, medium: memory}
  more: {env: {B: c}}
default: {image: slim, resources: small, policy: patient, bind: store}
assign:
  - {nodes: "*.fit", resources: big, cache: off}
  - {namespaces: [cv, tune], tags: [rats.fit], policy: patient, group: folds}
  - {tags: nightly, image: sklearn, bind: [store, more], cache: on}
grouping: {tags: false, namespace_depth: 2}
build: {tool: buildah, to: [ctr, image, import, "{archive}"]}
ext: {argo: {namespace: ml, anything: [1, null, {a: b}]}}
""".replace("DIGEST", "0123456789abcdef" * 4)


def read(text: str) -> dict[str, Any]:
    """Return what Kedro makes of the text of a file."""
    found: Any = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))
    return found


def everything() -> dict[str, Any]:
    """Return a document of one's own that has every key."""
    return copy.deepcopy(read(EVERYTHING))
