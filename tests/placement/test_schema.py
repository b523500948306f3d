"""What the model of ``rats.yml`` takes, what it makes of it, and how it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement.documents import everything, read

from kedro_rats.errors import DefinitionError
from kedro_rats.placement.schema import parse
from kedro_rats.placement.settings import Building, ImageBuild, Settings

# Each with the file's name left out: "rats.yml" stands before all of them.
WRONG = {
    "a key that is not known": (
        "stor: .rats",
        ": expected keys store, import_limit, image, resources, policy, bind, default, assign, grouping, build, ext, got 'stor'. Did you mean 'store'? Rename it, or leave it out.",
    ),
    "a key of a profile that is not known": (
        "resources: {big: {memry: 2Gi}}",
        ", resources.big: expected keys cpu, memory, disk, gpu, extended, limits, node_selector, tolerations, affinity, scheduler, queue, priority, got 'memry'. Did you mean 'memory'? Rename it, or leave it out.",
    ),
    "a secret under a key that is not known": (
        "bind: {db: {login: hunter2}}",
        ", bind.db: expected keys env, secrets, config_maps, volumes, got 'login'. Rename it, or leave it out.",
    ),
    "a list in place of a mapping": (
        "image: [a]",
        ", image: expected a mapping, got ['a']. Write keys and values, one a line.",
    ),
    "a number in place of a profile": (
        "image: {a: 3}",
        ", image.a: expected a mapping, got 3. Write keys and values, one a line.",
    ),
    "a profile without its image": (
        "image: {a: {pull: Always}}",
        ", image.a: expected ref or build.name, got neither. Name the image, or say what its build is to be called.",
    ),
    "a build without a name": (
        "image: {a: {build: {dockerfile: Dockerfile}}}",
        ", image.a: expected ref or build.name, got neither. Name the image, or say what its build is to be called.",
    ),
    "a build with a tag": (
        "image: {a: {build: {name: 'app:1'}}}",
        ", image.a.build.name: expected the name of an image without tag and digest, such as registry.example/app, got 'app:1'. Write it in lower case; the tag is made of what is built.",
    ),
    "a build of a file outside": (
        "image: {a: {ref: x, build: {dockerfile: ../Dockerfile}}}",
        ", image.a.build.dockerfile: expected a relative path such as models/best, without '..', got '../Dockerfile'. Use letters, digits and . _ @ = - between slashes.",
    ),
    "a build of a folder anywhere": (
        "image: {a: {ref: x, build: {context: /}}}",
        ", image.a.build.context: expected a folder such as ., images/spark or .., got '/'. Use letters, digits and . _ @ = - between slashes.",
    ),
    "a build of a stage that cannot be": (
        "image: {a: {ref: x, build: {target: --no-cache}}}",
        ", image.a.build.target: expected the name of a stage: letters, digits, '_', '-' and '.', got '--no-cache'. Give it as the Dockerfile does, after AS.",
    ),
    "a secret in an argument of a build": (
        "image: {a: {ref: x, build: {args: {INDEX: 'https://me:hunter2@example'}}}}",
        ", image.a.build.args.INDEX: expected no secret in plain text, got a value like one. Give it to the tool itself: kedro rats build -- --secret id=NAME,src=FILE.",
    ),
    "an argument of a build that is called a secret": (
        "image: {a: {ref: x, build: {args: {PIP_TOKEN: hunter2}}}}",
        ", image.a.build.args.PIP_TOKEN: expected no secret in plain text, got a value. Give it to the tool itself: kedro rats build -- --secret id=NAME,src=FILE.",
    ),
    "a build for an unknown kind of machine": (
        "image: {a: {ref: x, build: {platform: amd64}}}",
        ", image.a.build.platform: expected a platform such as linux/amd64, got 'amd64'. Give the system and the processor of the machines on which nodes run.",
    ),
    "an unknown tool": (
        "build: {tool: buildha}",
        ", build.tool: expected 'docker', 'podman' or 'buildah', got 'buildha'. Did you mean 'buildah'? Write one of these.",
    ),
    "an unknown way to send images": (
        "build: {to: pusch}",
        ", build.to: expected push, kind, k3d, minikube, keep, or a command with {archive} or {image}, got ['pusch']. Write the program and each argument as a text of its own.",
    ),
    "a command that is told of no image": (
        "build: {to: [scp, host]}",
        ", build.to: expected push, kind, k3d, minikube, keep, or a command with {archive} or {image}, got ['scp', 'host']. Write the program and each argument as a text of its own.",
    ),
    "an image with upper case": (
        "image: {a: Registry/App}",
        ", image.a.ref: expected an image such as registry.example/app:1.2 or registry.example/app@sha256:DIGEST, got 'Registry/App'. Write the name in lower case, and a digest with 64 digits 0-9 and a-f.",
    ),
    "an image that is a template": (
        'image: {a: "{{workflow.name}}"}',
        ", image.a.ref: expected an image such as registry.example/app:1.2 or registry.example/app@sha256:DIGEST, got '{{workflow.name}}'. Write the name in lower case, and a digest with 64 digits 0-9 and a-f.",
    ),
    "a word that is not among those known": (
        "image: {a: {ref: x, pull: always}}",
        ", image.a.pull: expected 'Always', 'IfNotPresent' or 'Never', got 'always'. Did you mean 'Always'? Write one of these.",
    ),
    "a name that no tag can hold": (
        'image: {"a b": x}',
        ", image.a b: expected a name of letters, digits, '_', '-' and '.', got 'a b'. Rename it: a tag must be able to hold it.",
    ),
    "a key that is a number": (
        "image: {1: x}",
        ", image: expected texts as keys, got a key of type int. Write the key in quotes.",
    ),
    "no amount of cpu": (
        "resources: {a: {cpu: yes}}",
        ", resources.a.cpu: expected an amount of cpu such as 2, 0.5 or 500m, got True. Write a number of cores, or thousandths with an m.",
    ),
    "too fine an amount of cpu": (
        "resources: {a: {cpu: 0.0001}}",
        ", resources.a.cpu: expected an amount of cpu such as 2, 0.5 or 500m, got 0.0001. Give whole thousandths, at least 1m and at most 1000000.",
    ),
    "memory in thousandths": (
        "resources: {a: {memory: 512m}}",
        ", resources.a.memory: expected a size such as 512Mi, 2Gi or 10G, got '512m'. Write a number and one of Ki, Mi, Gi, Ti, k, M, G, T.",
    ),
    "memory without its unit": (
        "resources: {a: {memory: 512}}",
        ", resources.a.memory: expected a size of at least 1Mi, such as 512Mi, 2Gi or 10G, got 512. Write its unit: a bare number is bytes.",
    ),
    "no memory": (
        "resources: {a: {memory: 0}}",
        ", resources.a.memory: expected a size such as 512Mi, 2Gi or 10G, got 0. Give a whole number of bytes, more than 0 and less than 8Ei.",
    ),
    "half a byte": (
        "resources: {a: {memory: 0.5}}",
        ", resources.a.memory: expected a size such as 512Mi, 2Gi or 10G, got 0.5. Give a whole number of bytes, more than 0 and less than 8Ei.",
    ),
    "an endless number": (
        "resources: {a: {memory: .inf}}",
        ", resources.a.memory: expected a finite number, got inf. Write it in quotes, or leave it out.",
    ),
    "a limit below the request": (
        "resources: {a: {memory: 2Gi, limits: {memory: 1Gi}}}",
        ", resources.a: expected limits.memory of at least memory, 2Gi, got 1Gi. Raise the limit.",
    ),
    "a label that is no text": (
        "resources: {a: {node_selector: {gpu: true}}}",
        ", resources.a.node_selector.gpu: expected a text, got True. Write it in quotes.",
    ),
    "too many gpus": (
        "resources: {a: {gpu: 100}}",
        ", resources.a.gpu.count: expected at most 64, got 100. Lower it.",
    ),
    "a gpu that is a text": (
        'resources: {a: {gpu: "1"}}',
        ", resources.a.gpu: expected a mapping, got '1'. Write keys and values, one a line.",
    ),
    "a gpu twice": (
        "resources: {a: {gpu: 1, extended: {nvidia.com/gpu: 1}}}",
        ", resources.a: expected a gpu named once, got gpu and extended. Leave it out of extended.",
    ),
    "a device in part": (
        "resources: {a: {extended: {example.com/fpga: 0.5}}}",
        ", resources.a.extended.example.com/fpga: expected a whole number, got 0.5. Write a number without quotes.",
    ),
    "a toleration with a value too many": (
        "resources: {a: {tolerations: [{key: k, operator: Exists, value: v}]}}",
        ", resources.a.tolerations.0: expected no value with operator Exists, got a value. Leave the value or the operator out.",
    ),
    "a toleration without its value": (
        "resources: {a: {tolerations: [{key: k, operator: Equal}]}}",
        ", resources.a.tolerations.0: expected a value with operator Equal, got none. Say which value, or use operator Exists.",
    ),
    "a toleration without its key": (
        "resources: {a: {tolerations: [{value: v}]}}",
        ", resources.a.tolerations.0: expected a key, got none. Name the taint's key; 'operator: Exists' alone tolerates all.",
    ),
    "an affinity that is none": (
        "resources: {a: {affinity: {nodeAfinity: {}}}}",
        ", resources.a.affinity: expected only nodeAffinity, podAffinity, podAntiAffinity, got nodeAfinity. Did you mean 'nodeAffinity'? Write it as in a pod.",
    ),
    "an affinity that is no mapping": (
        "resources: {a: {affinity: {podAffinity: 3}}}",
        ", resources.a.affinity: expected a mapping under each key, got podAffinity: 3. Write it as in a pod.",
    ),
    "an affinity with a template": (
        'resources: {a: {affinity: {nodeAffinity: {x: ["{{y}}"]}}}}',
        ", resources.a.affinity: expected texts of letters, digits and . _ / : @ = -, got '{{y}}'. Leave other characters out.",
    ),
    "a queue that is no label": (
        "resources: {a: {queue: a b}}",
        ", resources.a.queue: expected the value of a label: at most 63 letters, digits, '.', '_' and '-', got 'a b'. Give the value as the cluster lists it.",
    ),
    "a priority that is no name": (
        "resources: {a: {priority: High}}",
        ", resources.a.priority: expected the name of a Kubernetes object: lower case letters, digits, '-' and '.', got 'High'. Give the name as the cluster lists it.",
    ),
    "a negative number": (
        "policy: {a: {retries: -1}}",
        ", policy.a.retries: expected at least 0, got -1. Raise it.",
    ),
    "a large number": (
        "policy: {a: {retries: 1000}}",
        ", policy.a.retries: expected at most 100, got 1000. Lower it.",
    ),
    "a number with a fraction": (
        "policy: {a: {retries: 1.5}}",
        ", policy.a.retries: expected a whole number, got 1.5. Write a number without quotes.",
    ),
    "a duration without a unit": (
        "policy: {a: {timeout: 30}}",
        ", policy.a.timeout: expected a duration such as 30s, 5m, 2h or 1h30m, got 30. Write whole numbers with d, h, m and s, the largest unit first.",
    ),
    "a duration of nothing": (
        "policy: {a: {timeout: 0s}}",
        ", policy.a: expected timeout of at least 1s, got 0s. Leave it out for no limit.",
    ),
    "a duration of ages": (
        "policy: {a: {timeout: 99999d}}",
        ", policy.a.timeout: expected a duration such as 30s, 5m, 2h or 1h30m, got '99999d'. Give at most ten years.",
    ),
    "a deadline before the timeout": (
        "policy: {a: {timeout: 2h, deadline: 1h}}",
        ", policy.a: expected a deadline of at least 7200s, got 3600s. The deadline is for all attempts together: raise it.",
    ),
    "a ladder that falls": (
        "policy: {a: {memory_ladder: [4Gi, 2Gi]}}",
        ", policy.a: expected memory_ladder in rising order, got 4Gi, 2Gi. Put the smallest first.",
    ),
    "a factor below one": (
        "policy: {a: {backoff: {delay: 1s, factor: 0.5}}}",
        ", policy.a.backoff.factor: expected at least 1.0, got 0.5. Raise it.",
    ),
    "a secret by name": (
        "bind: {a: {env: {DB_PASSWORD: hunter2}}}",
        ", bind.a.env.DB_PASSWORD: expected no secret in plain text, got a value. Put it into a secret of the cluster, and name that under bind.secrets.",
    ),
    "a secret by form": (
        'bind: {a: {env: {DB: "postgres://me:hunter2@host/db"}}}',
        ", bind.a.env.DB: expected no secret in plain text, got a value that looks like one. Put it into a secret of the cluster, and name that under bind.secrets.",
    ),
    "a variable with other characters": (
        'bind: {a: {env: {A: "b; hunter2"}}}',
        ", bind.a.env.A: expected a value of letters, digits and . _ / : @ = -, got other characters. Put it into a config map, and name that under bind.config_maps.",
    ),
    "a variable that is a number": (
        "bind: {a: {env: {A: 17}}}",
        ", bind.a.env.A: expected a text, got a number. Write it in quotes.",
    ),
    "a variable with a dash": (
        "bind: {a: {env: {A-B: x}}}",
        ", bind.a.env.A-B: expected the name of an environment variable: letters, digits and '_', got 'A-B'. Rename it.",
    ),
    "a secret of which nothing is taken": (
        "bind: {a: {secrets: {s: {}}}}",
        ", bind.a.secrets.s: expected env or files, got neither. Write 'env: all', 'env: {VARIABLE: key}' or 'files: /folder'.",
    ),
    "a secret of which something is taken": (
        "bind: {a: {secrets: {s: {env: some}}}}",
        ", bind.a.secrets.s.env: expected a mapping, got a text. Write keys and values, one a line.",
    ),
    "a prefix that nothing has": (
        "bind: {a: {secrets: {s: {env: {A: a}, prefix: P_}}}}",
        ", bind.a.secrets.s: expected a prefix with 'env: all' only, got a prefix. Name the variables in full, or write 'env: all'.",
    ),
    "a mode that YAML has read": (
        "bind: {a: {secrets: {s: {files: {mount: /s, mode: 0400}}}}}",
        ", bind.a.secrets.s.files.mode: expected a text, got a number. Write it in quotes.",
    ),
    "a folder outside": (
        "bind: {a: {volumes: {/a/../b: {claim: c}}}}",
        ", bind.a.volumes./a/../b: expected an absolute folder such as /data, without '..', got '/a/../b'. Use letters, digits and . _ @ = - between slashes.",
    ),
    "a folder that is relative": (
        "bind: {a: {volumes: {a: {claim: c}}}}",
        ", bind.a.volumes.a: expected an absolute folder such as /data, without '..', got 'a'. Use letters, digits and . _ @ = - between slashes.",
    ),
    "a volume of nothing": (
        "bind: {a: {volumes: {/a: {}}}}",
        ", bind.a.volumes./a: expected claim or scratch, got neither. Write 'claim: NAME' or 'scratch: 10Gi'.",
    ),
    "a volume of two": (
        "bind: {a: {volumes: {/a: {claim: c, scratch: 1Gi}}}}",
        ", bind.a.volumes./a: expected claim or scratch, got both. Write 'claim: NAME' or 'scratch: 10Gi'.",
    ),
    "scratch with a claim's key": (
        "bind: {a: {volumes: {/a: {scratch: 1Gi, read_only: true}}}}",
        ", bind.a.volumes./a: expected no sub_path or read_only for scratch, got one. They belong to a claim.",
    ),
    "a claim with scratch's key": (
        "bind: {a: {volumes: {/a: {claim: c, medium: memory}}}}",
        ", bind.a.volumes./a: expected no medium for a claim, got memory. It belongs to scratch.",
    ),
    "a variable twice in a profile": (
        "bind: {a: {env: {A: x}, secrets: {s: {env: {A: y}}}}}",
        ", bind.a, variable A: expected one meaning, got two. Give the variable in one place, or rename one.",
    ),
    "a folder twice in a profile": (
        "bind: {a: {secrets: {s: {files: /a}}, volumes: {/a: {claim: c}}}}",
        ", bind.a, folder /a: expected one meaning, got two. Give the folder in one place, or rename one.",
    ),
    "a store with a password": (
        "store: s3://me:hunter2@bucket/prefix",
        ", store.uri: expected a place without credentials, got one with an '@'. Name an entry of credentials.yml: store: {uri: …, credentials: NAME}.",
    ),
    "a store of another kind": (
        "store: gs://bucket/prefix",
        ", store.uri: expected a folder such as .rats, or s3://BUCKET/PREFIX, got gs:. Other kinds of store are not supported.",
    ),
    "a store without a bucket": (
        "store: 's3://'",
        ", store.uri: expected a folder such as .rats, or s3://BUCKET/PREFIX, got another text. Use letters, digits and . _ / : @ = - and the name of a bucket.",
    ),
    "no store": (
        "store: ' '",
        ", store.uri: expected a folder such as .rats, or s3://BUCKET/PREFIX, got another text. Write it without spaces around.",
    ),
    "a credential in place of its name": (
        "store: {uri: .rats, credentials: {key: hunter2}}",
        ", store.credentials: expected a text, got a mapping. Write one value, no list and no mapping.",
    ),
    "a limit that is a word": (
        "import_limit: much",
        ", import_limit: expected a size such as 512Mi, 2Gi or 10G, got 'much'. Write a number and one of Ki, Mi, Gi, Ti, k, M, G, T.",
    ),
    "an unknown default": (
        "{image: {sklearn: x}, default: {image: sklaern}}",
        ", default.image: expected a profile under image: in rats.yml, got 'sklaern'. Did you mean 'sklearn'? Known: sklearn.",
    ),
    "an unknown profile in assign": (
        "{assign: [{nodes: a, bind: [b]}]}",
        ", assign.0.bind: expected a profile under bind: in rats.yml, got 'b'. There is none: add it.",
    ),
    "an assignment to nobody": (
        "{image: {a: x}, assign: [{image: a}]}",
        ', assign.0: expected nodes, namespaces or tags, got none of them. Say which nodes; nodes: "*" are all.',
    ),
    "an assignment of nothing": (
        "assign: [{nodes: a}]",
        ", assign.0: expected something for these nodes, got nothing. Say what they get: image, resources, policy, bind, group or cache.",
    ),
    "a pattern that no name has": (
        'assign: [{nodes: "a b", group: g}]',
        ", assign.0.nodes.0: expected a pattern of letters, digits, '_', '-', '.', '*', '?' and [...], got 'a b'. Names of nodes and tags hold no other characters.",
    ),
    "no pattern": (
        "assign: [{nodes: [], group: g}]",
        ", assign.0.nodes: expected at least one entry, got []. Add one, or leave the key out.",
    ),
    "a switch that is none": (
        "assign: [{nodes: a, cache: maybe}]",
        ", assign.0.cache: expected true or false, got 'maybe'. Write true or false.",
    ),
    "an assignment that is a text": (
        "assign: [a]",
        ", assign.0: expected a mapping, got 'a'. Write keys and values, one a line.",
    ),
    "a switch that is a number": (
        "grouping: {tags: 1}",
        ", grouping.tags: expected true or false, got 1. Write true or false.",
    ),
    "a depth that is negative": (
        "grouping: {namespace_depth: -1}",
        ", grouping.namespace_depth: expected at least 0, got -1. Raise it.",
    ),
    "an engine with upper case": (
        "ext: {Argo: {}}",
        ", ext.Argo: expected the name of an engine, such as argo, got 'Argo'. Write it in lower case.",
    ),
    "an engine with a number": (
        "ext: {argo: 3}",
        ", ext.argo: expected a mapping, got a number. Write keys and values, one a line.",
    ),
}


@pytest.mark.parametrize(("document", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(document: str, said: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        parse(read(document))

    assert str(raised.value) == f"rats.yml{said}"


def test_all_breaches_are_said_at_once() -> None:
    both = {
        "image": {"a": 3},
        "policy": {"a": {"retries": -1}},
        "default": {"bind": "x"},
    }

    with pytest.raises(DefinitionError) as raised:
        parse(both)

    assert [breach.subject for breach in raised.value.breaches] == [
        "rats.yml, image.a",
        "rats.yml, policy.a.retries",
        "rats.yml, default.bind",
    ]


@pytest.mark.parametrize("document", [text for text, _ in WRONG.values()], ids=WRONG)
def test_no_secret_is_shown(document: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        parse(read(document))

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "me: hunter2",
        "{{hunter2}}",
        ["hunter2"],
        {"x y": "hunter2"},
        {"env": "hunter2 "},
        {"env": {"a b": "hunter2"}},
        {"files": "hunter2 "},
        {"claim": "hunter2!"},
    ],
)
@pytest.mark.parametrize("place", ["env", "secrets", "config_maps", "volumes", "other"])
def test_a_secret_in_the_wrong_place_is_not_shown(place: str, value: object) -> None:
    for bind in ({place: value}, {place: {"a": value}}):
        with pytest.raises(DefinitionError) as raised:
            parse({"bind": {"profile": bind}})

        assert "hunter2" not in str(raised.value)


def test_everything_has_one_canonical_form() -> None:
    settings = parse(everything())

    assert settings.profiles["image"] == {
        "slim": {"ref": "python:3.11-slim"},
        "sklearn": {
            "ref": f"registry.example/app@sha256:{'0123456789abcdef' * 4}",
            "pull": "IfNotPresent",
            "pull_secrets": ["login"],
        },
    }
    assert settings.builds == {
        "sklearn": ImageBuild(
            name="registry.example/app",
            dockerfile="images/Dockerfile",
            context="..",
            target="run",
            platform="linux/amd64",
            args={"PACKAGES": "a<2 b", "BASE": "python:3.11-slim"},
        )
    }
    assert settings.building == Building(
        tool="buildah", to=("ctr", "image", "import", "{archive}")
    )
    assert settings.profiles["resources"] == {
        "small": {"cpu": "500m", "memory": "2Gi"},
        "big": {
            "cpu": "2",
            "memory": "16Gi",
            "disk": "5Gi",
            "gpu": {"count": 1, "resource": "amd.com/gpu"},
            "extended": {"example.com/fpga": 1},
            "limits": {"cpu": "4", "memory": "17Gi", "disk": "6Gi"},
            "node_selector": {"pool": "gpu"},
            "tolerations": [
                {
                    "key": "nvidia.com/gpu",
                    "operator": "Exists",
                    "effect": "NoSchedule",
                    "seconds": 60,
                },
                {"key": "team", "operator": "Equal", "value": "ml"},
                {"operator": "Exists"},
            ],
            "affinity": {
                "podAffinity": {
                    "preferred": [{"labelSelector": {}, "weight": 1}],
                    "all": {},
                    "none": 0,
                }
            },
            "scheduler": "volcano",
            "queue": "ml",
            "priority": "high",
        },
    }
    assert settings.profiles["policy"] == {
        "patient": {
            "retries": 2,
            "backoff": {"delay": 10, "factor": 1.5, "max": 300},
            "timeout": 7200,
            "deadline": 86400,
            "pending": 1800,
            "memory_ladder": ["4Gi", "8Gi"],
        }
    }
    assert settings.profiles["bind"]["store"] == {
        "env": {
            "AWS_REGION": {"value": "eu-west-1"},
            "EMPTY": {"value": ""},
            "PGPASSWORD": {"secret": "db", "optional": True, "key": "password"},
        },
        "env_from": [{"secret": "keys", "prefix": "STORE_"}],
        "mounts": {
            "/data": {"claim": "shared", "sub_path": "a/b", "read_only": True},
            "/etc/app": {
                "config_map": "settings",
                "items": {"app.toml": "app"},
                "mode": "0444",
            },
            "/etc/db": {"secret": "db", "optional": True},
            "/scratch": {"scratch": "1Gi", "medium": "memory"},
        },
    }
    assert (settings.store.uri, settings.store.credentials) == (
        "s3://bucket/prefix",
        "dev_s3",
    )
    assert settings.import_limit == 2 * 1024**3
    assert settings.ext == {
        "argo": {"namespace": "ml", "anything": [1, None, {"a": "b"}]}
    }
    assert [rule.cache for rule in settings.assign] == [False, None, True]
    assert (settings.grouping.tags, settings.grouping.namespace_depth) == (False, 2)


SAME = {
    "cpu": ("resources", {"cpu": "0.5"}, {"cpu": "500m"}),
    "whole cpu": ("resources", {"cpu": 2.0}, {"cpu": "2000m"}),
    "memory": ("resources", {"memory": "2048Mi"}, {"memory": "2GiB"}),
    "bytes": ("resources", {"disk": 5_000_000}, {"disk": "5M"}),
    "gpu": (
        "resources",
        {"gpu": 1},
        {"gpu": {"count": 1, "resource": "nvidia.com/gpu"}},
    ),
    "no gpu": ("resources", {"gpu": 0}, {}),
    "nothing": ("resources", {"queue": None, "limits": {}}, {}),
    "duration": ("policy", {"timeout": "90m"}, {"timeout": "1h30m"}),
    "no retries": ("policy", {"retries": 0}, {}),
    "factor": (
        "policy",
        {"backoff": {"delay": "1s", "factor": 2.0}},
        {"backoff": {"delay": "1s"}},
    ),
    "another factor": (
        "policy",
        {"backoff": {"delay": "1s", "factor": 3.0}},
        {"backoff": {"delay": "1s", "factor": 3}},
    ),
    "image": ("image", "app:1", {"ref": "app:1"}),
    "files": (
        "bind",
        {"secrets": {"s": {"files": "/s"}}},
        {"secrets": {"s": {"files": {"mount": "/s"}, "optional": False}}},
    ),
    "medium": (
        "bind",
        {"volumes": {"/s": {"scratch": "1Gi", "medium": "disk"}}},
        {"volumes": {"/s": {"scratch": "1024Mi"}}},
    ),
    "order": (
        "bind",
        {"env": {"A": "1", "B": "2"}},
        {"env": {"B": "2", "A": "1"}},
    ),
}


@pytest.mark.parametrize(("kind", "one", "other"), SAME.values(), ids=SAME)
def test_what_means_the_same_has_the_same_bytes(
    kind: Any, one: Any, other: Any
) -> None:
    first, second = (
        parse({kind: {"a": each}}).profiles[kind]["a"] for each in (one, other)
    )

    assert json.dumps(first) == json.dumps(second)


def test_no_placement_knows_how_an_image_is_built() -> None:
    settings = parse(
        {
            "image": {
                "a": {"ref": "x:1", "build": {"args": {"BASE": None}}},
                "b": {"pull": "Never", "build": {"name": "x"}},
                "c": {"ref": "y", "build": {}},
            }
        }
    )

    assert settings.profiles["image"] == {
        "a": {"ref": "x:1"},
        "b": {},
        "c": {"ref": "y"},
    }
    assert settings.builds == {
        "a": ImageBuild(),
        "b": ImageBuild(name="x"),
        "c": ImageBuild(),
    }


@pytest.mark.parametrize(
    ("said", "meant"),
    [({}, "keep"), ({"to": "push"}, "push"), ({"to": ["kind"]}, "kind")],
)
def test_images_are_sent_where_the_file_says(said: Any, meant: str) -> None:
    assert parse({"build": said}).building == Building(to=meant)


def test_null_takes_a_profile_away() -> None:
    settings = parse(
        {"image": {"a": None, "b": "x"}, "bind": None, "ext": {"argo": None}}
    )

    assert settings.profiles["image"] == {"b": {"ref": "x"}}
    assert settings.ext == {"argo": {}}


def test_a_profile_that_was_taken_away_is_unknown() -> None:
    with pytest.raises(DefinitionError, match="expected a profile under image"):
        parse({"image": {"a": None}, "default": {"image": "a"}})


@pytest.mark.parametrize(
    "name", ["TOKENIZERS_PARALLELISM", "PGPASSFILE", "KEY_FILE", "KEYBOARD"]
)
def test_an_innocent_variable_is_no_secret(name: str) -> None:
    parse({"bind": {"a": {"env": {name: "1"}}}})


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "apiKey",
        "OPENAI_API_KEY",
        "TOKEN",
        "GH_TOKEN",
        "dbPassword",
        "PGPASSWORD",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_a_secret_is_known_by_the_name_of_its_variable(name: str) -> None:
    with pytest.raises(DefinitionError, match=r"bind\.secrets"):
        parse({"bind": {"a": {"env": {name: "x"}}}})


def test_the_path_of_credentials_is_no_secret() -> None:
    parse(
        {"bind": {"a": {"env": {"GOOGLE_APPLICATION_CREDENTIALS": "/etc/g/key.json"}}}}
    )


# --- whatever is in the file ---

_KEYS = sorted(
    {*everything(), "ref", "cpu", "memory", "env", "files", "a", "b", "nodes"}
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=3)
    | st.dates()
    | st.sampled_from(["2Gi", "5m", "x", ".rats", "all", "off", "{{x}}"])
)
_KEY = st.sampled_from(_KEYS) | _SCALARS
ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEY, inner, max_size=4)
        | st.tuples(inner)
    ),
    max_leaves=20,
)


def settings_or_breaches(document: object) -> Settings | DefinitionError:
    try:
        return parse(document)
    except DefinitionError as error:
        assert error.breaches
        assert all("\n" not in str(breach) for breach in error.breaches)
        return error


@given(st.dictionaries(_KEY, ANYTHING, max_size=6))
def test_any_mapping_gives_settings_or_breaches(document: dict[Any, Any]) -> None:
    settings_or_breaches(document)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all that is in a document."""
    found = [path] if path else []
    if isinstance(value, dict):
        parts: Any = value.items()
    else:
        parts = enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        found += places(part, (*path, key))
    return found


@given(st.sampled_from(places(everything())), ANYTHING)
def test_a_good_file_with_anything_somewhere_gives_settings_or_breaches(
    path: tuple[Any, ...], junk: Any
) -> None:
    document: Any = everything()
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk

    found = settings_or_breaches(document)

    if isinstance(found, Settings):
        json.dumps(found.profiles, allow_nan=False)


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(document: object) -> None:
    assert isinstance(settings_or_breaches(document), DefinitionError)


def test_an_endless_number_is_refused() -> None:
    found = settings_or_breaches({"policy": {"a": {"retries": 10**5000}}})

    assert "expected a number below 2**63" in str(found)


def test_a_deep_file_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"argo": deep}

    assert "at most 32 levels" in str(settings_or_breaches({"ext": deep}))
