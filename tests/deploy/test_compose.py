"""The files for Docker Compose, as far as they can be known without Docker."""

import ipaddress
import re
import shlex

import pytest
import yaml

from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.spelling import OURS, near_misses
from tests.deploy.programs import DEPLOY, ROOT, checked, program
from tests.faults.proxies import NGINX_MAIN
from tests.ports import free_port

EXPOSED = "5000"

# loomio-deploy's `.env`, with what matters to us: as of its last version with these services.
LOOMIO_ENV = {
    "CANONICAL_HOST": "loomio.example.org",
    "PUBLIC_APP_URL": "https://loomio.example.org",
    "PRIVATE_APP_URL": "http://app:3000",
    "CHANNELS_URL": "wss://channels.loomio.example.org",
    "HOCUSPOCUS_URL": "wss://hocuspocus.loomio.example.org",
    "REDIS_URL": "redis://redis:6379/0",
    "RAILS_ENV": "production",
}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def ours(services):
    """The services that run our image, by name."""
    return {
        name: service for name, service in services.items() if service["image"] == "channel_server"
    }


def filled_in(environment):
    """An environment with something for each variable of the operator's."""
    return {
        name: re.sub(r"\$\{.*\}", "https://loomio.example.org", value)
        for name, value in environment.items()
    }


def test_there_are_two_servers_and_one_for_documents(ours, services):
    """And all that they need."""
    assert set(ours) == {"channels-1", "channels-2", "collab"}
    assert set(services) - set(ours) == {"redis", "nginx"}


def test_all_variables_are_ours_and_can_be_read(ours):
    """One that changes nothing is misspelt, or gone."""
    for service in ours.values():
        environment = filled_in(service["environment"])

        assert environment.keys() <= OURS
        assert Settings.from_env(environment) != Settings()
        CollabSettings.from_env(environment)


def test_the_image_is_built_from_the_root(ours):
    """Paths in ``build`` start at compose.yaml; ``dockerfile`` starts at the context."""
    for service in ours.values():
        context = (DEPLOY / service["build"]["context"]).resolve()

        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")


def test_all_listen_on_the_port_that_the_image_exposes(ours):
    """The health check looks there, too."""
    assert Settings.from_env(filled_in(ours["channels-1"]["environment"])).port == int(EXPOSED)
    assert CollabSettings.from_env(filled_in(ours["collab"]["environment"])).port == int(EXPOSED)
    assert ours["collab"]["ports"] == [f"4444:{EXPOSED}"]


def test_servers_start_when_redis_answers(ours, services):
    """The condition needs a health check; the URL needs the service's name."""
    for service in ours.values():
        assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
        assert service["environment"]["REDIS_URL"] == "redis://redis:6379/0"
    assert "healthcheck" in services["redis"]


def test_all_start_again_after_a_crash(services):
    """But not after ``docker compose stop``."""
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}


def test_nobody_is_killed_while_clients_or_documents_are_looked_after(ours):
    """Docker waits ten seconds unless told."""
    defaults = Settings()
    drain_s = defaults.drain_delay_s + defaults.drain_s

    for name in ("channels-1", "channels-2"):
        assert seconds(ours[name]["stop_grace_period"]) > drain_s
    assert seconds(ours["collab"]["stop_grace_period"]) >= 30


def test_documents_survive_a_new_container(compose, ours):
    """The volume is where the file is, and the image has that folder for its user."""
    collab = ours["collab"]
    (volume,) = collab["volumes"]
    name, folder = volume.split(":")

    assert name in compose["volumes"]
    assert collab["environment"]["COLLAB_DATABASE"].startswith(f"{folder}/")
    assert f"install --directory --owner=channels --group=channels {folder}" in (
        (DEPLOY / "Dockerfile").read_text()
    )


def test_servers_believe_nginx_and_nobody_else(compose, ours, services):
    """It is the only one on this network that says who a client is."""
    addresses = [
        service["networks"]["channels"]["ipv4_address"]
        for service in (services["nginx"], ours["channels-1"], ours["channels-2"])
    ]
    (config,) = compose["networks"]["channels"]["ipam"]["config"]

    assert ours["channels-1"]["environment"]["TRUSTED_PROXIES"] == addresses[0]
    assert len(set(addresses)) == 3
    assert {ipaddress.ip_address(each) for each in addresses} < set(
        ipaddress.ip_network(config["subnet"])
    )


def test_images_of_others_are_of_one_release(services):
    """Not whatever is the latest."""
    for name in ("redis", "nginx"):
        assert re.fullmatch(r"\w+:\d+(\.\d+)?-alpine", services[name]["image"])


def test_nginx_reads_what_its_command_writes(services, tmp_path):
    """The same sed as in the container, and then ``nginx -t`` with what a test machine has."""
    shell, option, script = services["nginx"]["command"]
    assert (shell, option) == ("sh", "-c")
    edit, _, start = script.partition(" && ")
    conf = tmp_path / "default.conf"
    edit = edit.replace("/channel_server.conf >", f"{DEPLOY}/nginx/channel_server.conf >")
    checked(["sh", "-c", edit.replace("/etc/nginx/conf.d/default.conf", shlex.quote(str(conf)))])
    written = conf.read_text()
    assert start == 'exec nginx -g "daemon off;"'
    for name in ("channels-1", "channels-2"):
        address = services[name]["networks"]["channels"]["ipv4_address"]
        assert f"server {address}:{EXPOSED} max_fails=0;" in written
    assert "access_log /dev/stdout channel_server;" in written
    assert re.search(r"error_log +/dev/stderr emerg;", written)

    conf.write_text(written.replace("listen 80;", f"listen 127.0.0.1:{free_port()};"))
    main = tmp_path / "nginx.conf"
    main.write_text(NGINX_MAIN.format(user="", folder=tmp_path, conf=conf))

    checked([program("nginx", "apt-get install nginx"), "-t", "-p", tmp_path, "-c", main])


def test_nginx_is_published_where_the_server_was_before(services):
    """So that what is in front need not change."""
    assert services["nginx"]["ports"] == [f"{EXPOSED}:80"]


def test_loomio_deploy_needs_another_image_and_nothing_else():
    """Host names, environment and command are its own; how long Docker waits, and for what, is ours."""
    services = yaml.safe_load((DEPLOY / "loomio-deploy.override.yaml").read_text())["services"]

    assert set(services) == {"channels", "hocuspocus"}
    for service in services.values():
        assert service.keys() == {"image", "pull_policy", "stop_grace_period"}
        assert service["image"] == "channel_server"


# Its successor's, since February 2026.
LOOMIO_2026_ENV = {
    "CANONICAL_HOST": "loomio.example.org",
    "PRIVATE_APP_URL": "http://app:3000",
    "HOCUSPOCUS_URL": "wss://hocuspocus.loomio.example.org",
    "HOCUSPOCUS_PORT": "4444",
    "REDIS_URL": "redis://redis:6379/0",
    "RAILS_ENV": "production",
    "TASK": "hocuspocus",
}


def test_todays_loomio_deploy_needs_another_image_for_documents():
    """Documents are kept where the image has a folder for its user, and where nginx-proxy looks."""
    override = yaml.safe_load((DEPLOY / "loomio-2026.override.yaml").read_text())
    service = override["services"].pop("hocuspocus")
    collab = CollabSettings.from_env(LOOMIO_2026_ENV | service["environment"])

    assert override["services"] == {}
    assert service["image"] == "channel_server"
    assert service["command"].split() == ["channel-server", "collab"]
    assert seconds(service["stop_grace_period"]) >= 30
    assert service["environment"]["VIRTUAL_PORT"] == EXPOSED == str(collab.port)
    assert collab.app_url == LOOMIO_2026_ENV["PRIVATE_APP_URL"]
    assert service["environment"].keys() <= OURS | {"VIRTUAL_PORT"}
    name, folder = service["volumes"][0].split(":")
    assert name in override["volumes"]
    assert collab.database.startswith(f"{folder}/")
    assert not collab.has_redis
    assert f"COPY deploy/healthcheck.py {service['healthcheck']['test'][-1]}" in (
        (DEPLOY / "Dockerfile").read_text()
    )


def test_nothing_of_todays_environment_looks_misspelt():
    assert near_misses(LOOMIO_2026_ENV) == {}


def test_both_servers_understand_the_environment_of_loomio_deploy():
    """And listen on the one port that nginx-proxy finds."""
    settings, collab = Settings.from_env(LOOMIO_ENV), CollabSettings.from_env(LOOMIO_ENV)

    assert (settings.port, collab.port) == (5000, 5000)
    assert settings.redis_url == LOOMIO_ENV["REDIS_URL"]
    assert settings.cors_origin == LOOMIO_ENV["PUBLIC_APP_URL"]
    assert collab.app_url == LOOMIO_ENV["PRIVATE_APP_URL"]


def seconds(text):
    """Read a duration of Compose's that is in seconds."""
    (number,) = re.fullmatch(r"(\d+)s", text).groups()
    return int(number)
