# The libraries that OpenStack's own tools are made of, unmodified, against the whole server. Each step says what it
# expects; the first that is not so ends the script with the reason. Run by openstack-libraries.test.ts.

import os
import sys
import time

import openstack
from keystoneauth1 import session
from keystoneauth1.identity import v3
from novaclient import client as nova_client
from novaclient import exceptions


def expect(what, actual, wanted):
    if actual != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {actual!r}")
    print(what)


cloud = openstack.connect(load_envvars=True)
compute = cloud.compute
image = cloud.image.find_image("Simulated machine")
flavor = compute.find_flavor("quick")

server = compute.create_server(
    name="sdk-1", flavor_id=flavor.id, image_id=image.id, networks="none"
)
server = compute.wait_for_server(server)
expect("sdk: created", (server.status, server.task_state), ("ACTIVE", None))

moves = [
    ("pause", "PAUSED", 3),
    ("unpause", "ACTIVE", 1),
    ("suspend", "SUSPENDED", 4),
    ("resume", "ACTIVE", 1),
    ("stop", "SHUTOFF", 4),
    ("start", "ACTIVE", 1),
]
for act, status, power in moves:
    getattr(compute, f"{act}_server")(server)
    server = compute.wait_for_server(server, status=status)
    expect(f"sdk: {act}", (server.task_state, server.power_state), (None, power))
compute.reboot_server(server, "HARD")
server = compute.wait_for_server(server)
expect("sdk: reboot", server.status, "ACTIVE")

auth = v3.Password(
    auth_url=os.environ["OS_AUTH_URL"],
    username=os.environ["OS_USERNAME"],
    password=os.environ["OS_PASSWORD"],
    project_name=os.environ["OS_PROJECT_NAME"],
    user_domain_name=os.environ["OS_USER_DOMAIN_NAME"],
    project_domain_name=os.environ["OS_PROJECT_DOMAIN_NAME"],
)
nova = nova_client.Client("2.90", session=session.Session(auth=auth))

one = nova.servers.get(server.id)
one.lock(reason="night shift")
one = nova.servers.get(server.id)
expect("nova: lock", (one.locked, one.locked_reason), (True, "night shift"))
try:
    one.stop()
    sys.exit("nova: a locked server was stopped")
except exceptions.Conflict as refused:
    expect("nova: locked", "is locked" in str(refused), True)
one.unlock()

one.set_tags(["a", "b"])
one.add_tag("c")
expect("nova: tags", sorted(one.tag_list()), ["a", "b", "c"])
one.delete_tag("a")
found = nova.servers.list(search_opts={"tags": "b,c"})
expect("nova: by tags", [each.name for each in found], ["sdk-1"])

snapshot = nova.servers.create_image(server.id, "snapshot")
deadline = time.monotonic() + 60
while cloud.image.get_image(snapshot).status != "active" and time.monotonic() < deadline:
    time.sleep(0.1)
saved = cloud.image.get_image(snapshot)
expect("nova: createImage", (saved.name, saved.status), ("snapshot", "active"))
rebuilt = one.rebuild(snapshot, name="sdk-2")
expect("nova: rebuild", rebuilt.status, "REBUILD")
server = compute.wait_for_server(compute.get_server(server.id))
expect("nova: rebuilt", (server.name, server.status), ("sdk-2", "ACTIVE"))
cloud.image.delete_image(snapshot)

pair = nova.keypairs.create("pair", key_type="ssh")
expect("nova: key pair", pair.private_key.startswith("-----BEGIN RSA"), True)
expect("nova: key pairs", [each.name for each in nova.keypairs.list()], ["pair"])
nova.keypairs.delete("pair")

actions = nova.instance_action.list(server.id)
expect("nova: actions", actions[0].action, "rebuild")
shown = nova.instance_action.get(server.id, actions[0].request_id)
expect("nova: events", [each["result"] for each in shown.events], ["Success"])

expect("nova: limits", nova.limits.get().to_dict()["absolute"]["totalInstancesUsed"], 1)
expect("nova: quotas", nova.quotas.get(server.project_id).cores, -1)
expect("nova: zones", nova.availability_zones.list(detailed=False)[0].zoneName, "az1")
try:
    nova.services.list()
    sys.exit("nova: a member listed services")
except exceptions.Forbidden:
    print("nova: services are an admin's")

compute.delete_server(server)
compute.wait_for_delete(server)
expect("sdk: deleted", [each.name for each in compute.servers()], [])
