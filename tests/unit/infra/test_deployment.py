"""The deployment files hold together: what they name is there, what they set is known, and the schemas fit."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from infra.config import Config, Duty, load_config

ROOT: Final = Path(__file__).parents[3]
INFRA: Final = ROOT / "infra"
KUBERNETES: Final = INFRA / "kubernetes"
KUBECTL: Final = shutil.which("kubectl")
VERSIONS: Final = ("1.31", "1.34")
"""Of Kubernetes, whose schemas the manifests are held to."""

Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    return list(yaml.safe_load_all(path.read_text()))


COMPOSE: Final[Document] = documents(INFRA / "compose.yaml")[0]
SERVICES: Final[dict[str, Document]] = COMPOSE["services"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Changes the environment, in which nothing of Parley is set."""
    for name in list(os.environ):
        if name.startswith("PARLEY_"):
            monkeypatch.delenv(name)
    return monkeypatch


def config_of(environment: Mapping[str, str], settings: pytest.MonkeyPatch) -> Config:
    for name, value in environment.items():
        settings.setenv(name, value)
    return load_config(ROOT / "parley.toml")


# Compose


def test_every_image_is_of_a_certain_version_or_built_here() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert "build" in service or (tag and tag != "latest" and image.startswith("docker.io/")), name


def test_the_collector_passes_traces_on_to_what_is_started_beside_it() -> None:
    collector = documents(INFRA / "otel" / "collector.yaml")[0]
    [exporter] = collector["service"]["pipelines"]["traces"]["exporters"]
    variable = re.fullmatch(r"\$\{env:(\w+)\}", collector["exporters"][exporter]["endpoint"])
    assert variable
    endpoint = SERVICES["collector"]["environment"][variable[1]]
    host = re.fullmatch(r"\$\{\w+:-(\w+):4317\}", endpoint)
    assert host
    assert host[1] in SERVICES


def test_nothing_is_reached_from_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_password_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or name.endswith(("_PWD", "_KEY")):
                assert str(value).startswith("${"), name


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    files = [volume.split(":")[0] for volume in mounted if volume.startswith(".")]
    assert files
    assert [file for file in files if not (INFRA / file).exists()] == []
    assert {volume.split(":")[0] for volume in mounted if not volume.startswith(".")} == COMPOSE["volumes"].keys()


def test_whoever_is_waited_for_can_be(settings: pytest.MonkeyPatch) -> None:
    for service in SERVICES.values():
        depends = service.get("depends_on", {})
        assert set(depends) <= SERVICES.keys()
        for other in depends if isinstance(depends, dict) else ():
            if depends[other]["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], other


def test_the_worker_s_settings_are_known(settings: pytest.MonkeyPatch) -> None:
    config = config_of(SERVICES["worker"]["environment"], settings)
    assert config.support.database.startswith("postgresql+psycopg://parley:")


def test_prometheus_looks_where_the_worker_tells() -> None:
    [prometheus] = documents(INFRA / "prometheus" / "prometheus.yaml")
    [found] = [one for job in prometheus["scrape_configs"] for one in job.get("dns_sd_configs", ())]
    assert found == {"names": ["worker"], "type": "A", "port": 9464}
    assert "worker" in SERVICES
    assert "PARLEY_TELEMETRY__PROMETHEUS=0.0.0.0:9464" in (INFRA / "Dockerfile").read_text()


# The image


def test_the_image_has_the_packages_that_everybody_has() -> None:
    def pinned(path: Path) -> set[str]:
        return {line for line in path.read_text().splitlines() if "==" in line}

    assert pinned(INFRA / "worker.lock") < pinned(ROOT / "requirements.lock")


def test_everything_that_the_image_is_made_of_is_sent_to_who_builds_it() -> None:
    allowed = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    copied = [
        part
        for line in (INFRA / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for part in line.split()[1:-1]
    ]
    assert {part.split("/")[0] for part in copied} == set(allowed)


# Kubernetes


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    if KUBECTL is None:
        pytest.skip("no kubectl on the path")
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    shutil.copy(folder / "secrets.example.env", folder / "secrets.env")
    built = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def of_kind(manifests: list[Document], kind: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifests_fit_the_schemas_of_kubernetes(manifests: list[Document], version: str) -> None:
    for manifest in manifests:
        if not manifest["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(manifest, version, strict=True)


def test_each_kind_of_worker_does_its_duty_and_is_scaled_by_its_backlog(
    manifests: list[Document], settings: pytest.MonkeyPatch
) -> None:
    deployments, scaled = of_kind(manifests, "Deployment"), of_kind(manifests, "ScaledObject")
    [common] = [one["data"] for one in of_kind(manifests, "ConfigMap").values()]
    duties: list[Duty] = []
    for name, scaling in scaled.items():
        assert scaling["spec"]["scaleTargetRef"]["name"] == name
        [container] = deployments[name]["spec"]["template"]["spec"]["containers"]
        own = {one["name"]: one["value"] for one in container["env"]}
        config = config_of(common | own, settings)
        [duty] = config.worker.serves
        duties.append(duty)
        [trigger] = scaling["spec"]["triggers"]
        kind = "workflow" if duty is Duty.WORKFLOWS else "activity"
        assert (trigger["type"], trigger["metadata"]["queueTypes"]) == ("temporal", kind)
        assert trigger["metadata"]["taskQueue"] == config.worker.queue_of(duty)
        assert trigger["metadata"]["endpoint"] == common["TEMPORAL_ADDRESS"]
        assert trigger["metadata"]["namespace"] == common["TEMPORAL_NAMESPACE"]
    assert sorted(duties) == sorted(Duty)


def test_pods_have_no_more_rights_than_they_need(manifests: list[Document]) -> None:
    for deployment in of_kind(manifests, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"startupProbe", "readinessProbe", "livenessProbe", "resources"} <= container.keys()


def test_secrets_are_no_part_of_the_settings_that_everybody_may_read(manifests: list[Document]) -> None:
    [common] = [one["data"] for one in of_kind(manifests, "ConfigMap").values()]
    [secret] = [one["data"] for one in of_kind(manifests, "Secret").values()]
    assert not common.keys() & secret.keys()
    assert not [name for name in common if name.endswith(("_KEY", "DATABASE", "SECRET", "TOKEN", "KEYS"))]
    assert "infra/kubernetes/secrets.env" in (ROOT / ".gitignore").read_text().splitlines()
