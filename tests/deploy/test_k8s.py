"""The manifests: against the schemas of Kubernetes, and against each other and the server."""

import re
import warnings

import pytest
import yaml

from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.spelling import OURS
from tests.deploy.programs import DEPLOY
from tests.servers import missing

FOLDER = DEPLOY / "k8s"
OLDEST, LATEST = "1.29", "1.37"
"""Versions of Kubernetes against which all is checked."""

OBJECTS = [
    each for path in sorted(FOLDER.glob("*.yaml")) for each in yaml.safe_load_all(path.read_text())
]
DEPLOYMENTS = [each for each in OBJECTS if each["kind"] == "Deployment"]


def name_of(manifest):
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def of_kind(kind):
    """All objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def pod_of(deployment):
    return deployment["spec"]["template"]["spec"]


def container_of(deployment):
    (container,) = pod_of(deployment)["containers"]
    return container


def settings_of(deployment):
    """The environment of a pod, but for the secret."""
    config = of_kind("ConfigMap")["channel-server"]["data"]
    return config | {each["name"]: each["value"] for each in container_of(deployment)["env"]}


def ports_of(deployment):
    """Container ports by name."""
    return {each["name"]: each["containerPort"] for each in container_of(deployment)["ports"]}


@pytest.fixture(params=DEPLOYMENTS, ids=name_of)
def deployment(request):
    """Each in turn."""
    return request.param


@pytest.mark.parametrize("version", [OLDEST, LATEST])
@pytest.mark.parametrize("manifest", OBJECTS, ids=name_of)
def test_kubernetes_accepts_it(manifest, version):
    """Strictly: a field that is misspelt is one that does not exist."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package itself uses is not our business
        try:
            import kubernetes_validate  # noqa: PLC0415 - not all have it
        except ImportError:
            missing("kubernetes-validate is not installed: pip install kubernetes-validate")
        kubernetes_validate.validate(manifest, version, strict=True)


def test_each_object_has_a_name_and_no_namespace():
    """Where it goes, ``kubectl -n`` says."""
    names = [name_of(each) for each in OBJECTS]

    assert len(set(names)) == len(names)
    assert not [each for each in OBJECTS if "namespace" in each["metadata"]]


def test_all_variables_are_ours_and_can_be_read(deployment):
    """One that changes nothing is misspelt, or gone."""
    settings = settings_of(deployment)

    assert settings.keys() <= OURS
    Settings.from_env(settings)
    CollabSettings.from_env(settings)


def test_pods_listen_where_kubernetes_looks():
    """Both servers on the port that the image exposes, the internal one beside it."""
    channels, collab = (of_kind("Deployment")[name] for name in ("channels", "collab"))
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    (exposed,) = map(int, re.findall(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE))

    assert Settings.from_env(settings_of(channels)).port == exposed
    assert CollabSettings.from_env(settings_of(collab)).port == exposed
    assert ports_of(channels) == ports_of(collab) == {"clients": exposed, "internal": 5001}


def test_a_service_cannot_change_a_setting(deployment):
    """Kubernetes sets ``<SERVICE>_PORT`` for each Service, and COLLAB_PORT is ours."""
    assert pod_of(deployment)["enableServiceLinks"] is False


def test_probes_ask_what_the_server_answers(deployment):
    """A pod that has lost Redis must not be restarted, so the live probe asks ``/live``."""
    container = container_of(deployment)
    probes = {
        kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }

    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startup": "/startup",
        "liveness": "/live",
        "readiness": "/ready",
    }
    assert {probe["port"] for probe in probes.values()} <= ports_of(deployment).keys()
    # A pod at MAX_CONNECTIONS answers 503 to everything at the clients' port.
    assert probes["liveness"]["port"] == probes["startup"]["port"] == "internal"
    assert probes["readiness"]["port"] == "clients"


def test_pods_have_the_time_to_drain(deployment):
    """More than the server takes, or Kubernetes kills it; and some until nobody sends clients."""
    settings = Settings.from_env(settings_of(deployment))
    grace_s = pod_of(deployment)["terminationGracePeriodSeconds"]

    assert grace_s > settings.drain_delay_s + settings.drain_s
    assert grace_s >= 30
    assert settings.drain_delay_s > Settings().drain_delay_s


def test_pods_have_no_rights(deployment):
    """As Kubernetes' own standard "restricted" wants it, and a root file system to read only."""
    pod, own = pod_of(deployment)["securityContext"], container_of(deployment)["securityContext"]

    assert pod == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod_of(deployment)["automountServiceAccountToken"] is False


def test_documents_have_a_folder_to_write_to():
    """SQLite's temporary file, where there is no Redis."""
    collab = of_kind("Deployment")["collab"]
    mounts = {each["name"]: each["mountPath"] for each in container_of(collab)["volumeMounts"]}

    assert mounts == {"tmp": "/tmp"}
    assert {each["name"] for each in pod_of(collab)["volumes"]} == {"tmp"}


def test_an_update_takes_no_pod_away_before_another_is_there(deployment):
    """Each node drains into others."""
    rolling = deployment["spec"]["strategy"]["rollingUpdate"]

    assert rolling == {"maxUnavailable": 0, "maxSurge": 1}


def test_selectors_find_their_pods(deployment):
    """And no other's."""
    name = deployment["metadata"]["name"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        of_kind("Service")[name]["spec"]["selector"],
        of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"],
        *(
            each["labelSelector"]["matchLabels"]
            for each in pod_of(deployment).get("topologySpreadConstraints", ())
        ),
    ]

    for selector in selectors:
        assert selector.items() <= labels.items()
        assert [
            each["metadata"]["name"]
            for each in DEPLOYMENTS
            if selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()
        ] == [name]


def test_settings_and_secret_are_where_pods_look(deployment):
    """The secret is made by hand: REDIS_URL may hold a password."""
    sources = container_of(deployment)["envFrom"]

    assert sources == [
        {"configMapRef": {"name": "channel-server"}},
        {"secretRef": {"name": "channel-server"}},
    ]
    assert "REDIS_URL" not in of_kind("ConfigMap")["channel-server"]["data"]
    assert "create secret generic channel-server" in (FOLDER / "settings.yaml").read_text()


def test_the_autoscaler_counts_clients_of_the_right_pods():
    """And has the number of replicas to itself."""
    (scaler,) = of_kind("HorizontalPodAutoscaler").values()
    target = scaler["spec"]["scaleTargetRef"]
    deployment = of_kind(target["kind"])[target["name"]]
    (metric,) = scaler["spec"]["metrics"]

    assert target["apiVersion"] == deployment["apiVersion"]
    assert "replicas" not in deployment["spec"]
    assert scaler["spec"]["minReplicas"] >= 3
    assert metric["pods"]["metric"]["name"] == "channel_server_connections"


def test_the_way_in_leads_to_services_that_exist():
    """By the name of their port; live updates by their path only."""
    backends = {}
    for ingress in of_kind("Ingress").values():
        for rule in ingress["spec"]["rules"]:
            assert rule["host"] in ingress["spec"]["tls"][0]["hosts"]
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                ports = of_kind("Service")[service["name"]]["spec"]["ports"]
                assert service["port"]["name"] in {port["name"] for port in ports}
                backends[service["name"]] = path["path"]

    assert backends == {"channels": "/socket.io/", "collab": "/"}


def test_the_way_in_does_as_nginx_does():
    """The file for nginx itself is the one that is tested with a real one."""
    conf = (DEPLOY / "nginx" / "channel_server.conf").read_text()
    annotations = of_kind("Ingress")["channels"]["metadata"]["annotations"]
    ours = {
        name.removeprefix("nginx.ingress.kubernetes.io/"): value
        for name, value in annotations.items()
    }

    assert ours["upstream-hash-by"] == "$arg_channel_token"
    assert "$arg_channel_token;" in conf
    for name in ("proxy-read-timeout", "proxy-send-timeout", "proxy-connect-timeout"):
        assert f"{name.replace('-', '_')} {ours[name]}s;" in conf
    assert f"proxy_next_upstream {ours['proxy-next-upstream']};" in conf
    assert f"client_max_body_size {ours['proxy-body-size']};" in conf
    assert ours["proxy-buffering"] == "off"
    assert ours["enable-access-log"] == "false"


def test_prometheus_finds_the_internal_port(deployment):
    """From outside of the pod it is not there unless ADMIN_HOST says so."""
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]

    assert annotations["prometheus.io/scrape"] == "true"
    assert int(annotations["prometheus.io/port"]) == ports_of(deployment)["internal"]
    assert settings_of(deployment)["ADMIN_HOST"] == "0.0.0.0"
