#!/usr/bin/env python3
"""The Python client hvac against a running server, by its own calls and with what it makes of the answers.

Needs Python 3.9 or later with the packages of requirements.txt, and a server; how the server is named is said at the
head of suite.py beside this file. It takes a new server, or one that was initialised before. `hvac_suite.py WORD …` runs
the tests whose names contain a word. Who is behind a token is asked for in hvac_identity.py, and what operators set up
in hvac_system.py.
"""

import sys

import hvac_identity
import hvac_system
from hvac_site import client, exceptions, is_refused, opened, refused, root, site
from suite import LeftOut, Suite, decode_root_token, eventually, unique

suite = Suite()

KV1, KV2, POLICY = unique("one"), unique("two"), unique("reader")
USERPASS, APPROLE, CERT, DATABASE = unique("userpass"), unique("approle"), unique("cert"), unique("database")


@suite.test
def initialising_and_unsealing():
    anyone = client()
    if anyone.sys.is_initialized():
        if not site.token:
            sys.exit("the vault is initialised: ARCA_TOKEN must be a root token of it")
        raise LeftOut("the vault is initialised already")
    assert anyone.sys.is_sealed() and anyone.sys.read_init_status() == {"initialized": False}
    assert anyone.sys.read_health_status(method="GET").status_code == 501
    made = anyone.sys.initialize(5, 3)
    site.token, site.shares = made["root_token"], made["keys_base64"]
    assert len(made["keys"]) == len(site.shares) == 5
    assert anyone.sys.read_health_status(method="GET").status_code == 503
    assert anyone.sys.submit_unseal_key(site.shares[0])["progress"] == 1
    assert anyone.sys.submit_unseal_key(reset=True)["progress"] == 0
    assert not anyone.sys.submit_unseal_keys(site.shares[:3])["sealed"]
    root.token = site.token
    refused(exceptions.InvalidRequest, anyone.sys.initialize, 5, 3)


@suite.test
def the_state_of_the_server():
    assert root.is_authenticated() and root.sys.is_initialized() and not root.sys.is_sealed()
    status = root.sys.read_seal_status()
    assert status["type"] == "shamir" and status["cluster_id"]
    assert root.seal_status["version"] == status["version"]
    assert root.sys.read_health_status(method="GET")["initialized"]
    assert root.sys.read_health_status(method="HEAD").status_code == 200
    assert root.sys.read_leader_status()["ha_enabled"] is False
    assert not client().is_authenticated() and not client("nonsense").is_authenticated()


@suite.test
def mounts():
    root.sys.enable_secrets_engine("kv", path=KV1, description="first", options={"version": "1"})
    root.sys.enable_secrets_engine("kv", path=KV2, options={"version": "2"}, config={"max_lease_ttl": "2h"})
    refused(exceptions.InvalidRequest, root.sys.enable_secrets_engine, "kv", path=KV2)
    mounted = root.sys.list_mounted_secrets_engines()["data"]
    assert mounted[f"{KV2}/"]["options"] == {"version": "2"}
    assert root.sys.retrieve_mount_option(KV1, "version") == "1"
    root.sys.tune_mount_configuration(KV1, default_lease_ttl="1h", description="tuned")
    tuned = root.sys.read_mount_configuration(KV1)["data"]
    assert (tuned["default_lease_ttl"], tuned["description"]) == (3600, "tuned")
    gone, there = unique("gone"), unique("there")
    root.sys.enable_secrets_engine("kv", path=gone)
    root.sys.move_backend(gone, there)
    eventually(lambda: f"{there}/" in root.sys.list_mounted_secrets_engines()["data"])
    root.sys.disable_secrets_engine(there)
    assert f"{there}/" not in root.sys.list_mounted_secrets_engines()["data"]


@suite.test
def key_values_version_1():
    kv = root.secrets.kv.v1
    kv.create_or_update_secret("a/b", {"x": "1", "n": 2}, mount_point=KV1)
    assert kv.read_secret("a/b", mount_point=KV1)["data"] == {"x": "1", "n": 2}
    kv.create_or_update_secret("a/b", {"x": "2"}, method="PUT", mount_point=KV1)
    assert kv.list_secrets("a", mount_point=KV1)["data"]["keys"] == ["b"]
    kv.delete_secret("a/b", mount_point=KV1)
    refused(exceptions.InvalidPath, kv.read_secret, "a/b", mount_point=KV1)
    root.write_data(f"{KV1}/plain", data={"a": "b"})
    assert root.read(f"{KV1}/plain")["data"] == {"a": "b"} and root.list(KV1)["data"]["keys"] == ["plain"]
    root.delete(f"{KV1}/plain")
    assert root.read(f"{KV1}/plain") is None and root.list(f"{KV1}/none") is None


@suite.test
def key_values_version_2():
    kv, at = root.secrets.kv.v2, {"path": "a/b", "mount_point": KV2}
    assert kv.create_or_update_secret(secret={"x": "1"}, cas=0, **at)["data"]["version"] == 1
    refused(exceptions.InvalidRequest, kv.create_or_update_secret, secret={"x": "2"}, cas=0, **at)
    kv.create_or_update_secret(secret={"x": "2", "y": "z"}, **at)
    kv.patch(secret={"x": "3", "w": 1}, **at)
    assert kv.read_secret_version(raise_on_deleted_version=True, **at)["data"]["data"] == {"x": "3", "y": "z", "w": 1}
    assert kv.read_secret_version(version=1, raise_on_deleted_version=True, **at)["data"]["data"] == {"x": "1"}
    kv.delete_latest_version_of_secret(**at)
    refused(exceptions.InvalidPath, kv.read_secret_version, raise_on_deleted_version=True, **at)
    deleted = kv.read_secret_version(raise_on_deleted_version=False, **at)
    assert deleted["data"]["data"] is None and deleted["data"]["metadata"]["deletion_time"]
    kv.undelete_secret_versions(versions=[3], **at)
    kv.delete_secret_versions(versions=[2], **at)
    kv.destroy_secret_versions(versions=[1], **at)
    kv.update_metadata(max_versions=4, delete_version_after="3h", custom_metadata={"team": "blue"}, **at)
    metadata = kv.read_secret_metadata(**at)["data"]
    assert metadata["current_version"] == 3 and metadata["custom_metadata"] == {"team": "blue"}
    assert metadata["versions"]["1"]["destroyed"] and metadata["versions"]["2"]["deletion_time"]
    assert kv.list_secrets("a", mount_point=KV2)["data"]["keys"] == ["b"]
    kv.configure(max_versions=7, cas_required=False, mount_point=KV2)
    assert kv.read_configuration(mount_point=KV2)["data"]["max_versions"] == 7
    kv.delete_metadata_and_all_versions(**at)
    refused(exceptions.InvalidPath, kv.read_secret_metadata, **at)


@suite.test
def policies():
    text = f'path "{KV2}/data/*" {{ capabilities = ["read"] }}'
    root.sys.create_or_update_policy(POLICY, text)
    assert root.sys.read_policy(POLICY)["data"]["rules"] == text
    assert POLICY in root.sys.list_policies()["data"]["policies"] and root.get_policy(POLICY, parse=False) == text
    other = unique("acl")
    root.sys.create_or_update_acl_policy(other, text)
    assert root.sys.read_acl_policy(other)["data"]["policy"] == text
    assert other in root.sys.list_acl_policies()["data"]["keys"]
    root.sys.delete_acl_policy(other)
    refused(exceptions.InvalidPath, root.sys.read_acl_policy, other)
    refused(exceptions.InvalidRequest, root.sys.create_or_update_policy, "bad", "garbage")
    root.sys.create_or_update_policy("gone", text)
    root.sys.delete_policy("gone")


@suite.test
def tokens():
    token = root.auth.token
    made = token.create(policies=[POLICY], ttl="1h", meta={"a": "b"}, display_name="d", num_uses=9)["auth"]
    held = client(made["client_token"])
    own = held.lookup_token()["data"]
    assert (own["meta"], own["num_uses"], own["display_name"]) == ({"a": "b"}, 8, "token-d")
    assert token.lookup_accessor(made["accessor"])["data"]["policies"] == ["default", POLICY]
    assert held.auth.token.renew_self(increment="30m")["auth"]["lease_duration"] == 1800
    assert token.renew(made["client_token"], increment="2h")["auth"]["lease_duration"] == 7200
    assert token.renew_accessor(made["accessor"])["auth"]["lease_duration"] == 7200
    refused(exceptions.Forbidden, held.sys.list_mounted_secrets_engines)
    refused(exceptions.Forbidden, held.secrets.kv.v2.create_or_update_secret, "x", {"a": "b"}, mount_point=KV2)
    token.revoke_accessor(made["accessor"])
    refused(exceptions.Forbidden, held.lookup_token)
    orphan = token.create_orphan(policies=[POLICY])["auth"]
    assert orphan["orphan"]
    token.revoke_and_orphan_children(orphan["client_token"])
    child = client(token.create(policies=[POLICY], type="service", period="1h")["auth"]["client_token"])
    child.auth.token.revoke_self()
    batch = token.create(policies=[POLICY], type="batch", ttl="5m")["auth"]
    assert batch["token_type"] == "batch" and client(batch["client_token"]).is_authenticated()
    token.revoke(token.create(policies=[POLICY])["auth"]["client_token"])


@suite.test
def token_roles():
    token, role = root.auth.token, unique("role")
    token.create_or_update_role(role, allowed_policies=POLICY, orphan=True, token_period="1h")
    assert token.read_role(role)["data"]["token_period"] == 3600
    assert role in token.list_roles()["data"]["keys"]
    assert token.create(role_name=role, policies=[POLICY])["auth"]["lease_duration"] == 3600
    refused(exceptions.InvalidRequest, token.create, role_name=role, policies=["other"])
    token.delete_role(role)
    assert len(token.list_accessors()["data"]["keys"]) > 0


@suite.test
def capabilities():
    assert root.sys.get_capabilities(paths=["sys/mounts", "x"])["data"]["x"] == ["root"]
    made = root.auth.token.create(policies=[POLICY])["auth"]
    path = f"{KV2}/data/x"
    assert root.sys.get_capabilities([path], token=made["client_token"])["data"][path] == ["read"]
    assert root.sys.get_capabilities([path], accessor=made["accessor"])["data"][path] == ["read"]


@suite.test
def auth_methods():
    for path, kind in ((USERPASS, "userpass"), (APPROLE, "approle"), (CERT, "cert")):
        root.sys.enable_auth_method(kind, path=path, description=kind)
    listed = root.sys.list_auth_methods()["data"]
    assert listed[f"{CERT}/"]["type"] == "cert" and "token/" in listed
    root.sys.tune_auth_method(USERPASS, default_lease_ttl="72m", description="tuned")
    assert root.sys.read_auth_method_tuning(USERPASS)["data"]["default_lease_ttl"] == 4320
    gone = unique("gone")
    root.sys.enable_auth_method("userpass", path=gone)
    root.sys.disable_auth_method(gone)
    assert f"{gone}/" not in root.sys.list_auth_methods()["data"]


@suite.test
def login_with_a_password():
    userpass = root.auth.userpass
    userpass.create_or_update_user("alice", "secret", policies=[POLICY], mount_point=USERPASS)
    assert userpass.list_user(mount_point=USERPASS)["data"]["keys"] == ["alice"]
    assert POLICY in userpass.read_user("alice", mount_point=USERPASS)["data"]["token_policies"]
    alice = client()
    login = alice.auth.userpass.login("alice", "secret", mount_point=USERPASS)["auth"]
    assert login["metadata"] == {"username": "alice"} and alice.is_authenticated()
    userpass.update_password_on_user("alice", "new", mount_point=USERPASS)
    refused(exceptions.InvalidRequest, client().auth.userpass.login, "alice", "secret", mount_point=USERPASS)
    userpass.delete_user("alice", mount_point=USERPASS)


@suite.test
def login_with_a_role_and_its_secret():
    approle, at = root.auth.approle, {"role_name": "web", "mount_point": APPROLE}
    approle.create_or_update_approle(token_policies=[POLICY], secret_id_ttl="10m", token_ttl="20m", **at)
    assert approle.list_roles(mount_point=APPROLE)["data"]["keys"] == ["web"]
    assert approle.read_role(**at)["data"]["token_ttl"] == 1200
    approle.update_role_id(role_id="chosen", **at)
    assert approle.read_role_id(**at)["data"]["role_id"] == "chosen"
    made = approle.generate_secret_id(metadata={"host": "a"}, **at)["data"]
    web = client()
    login = web.auth.approle.login("chosen", made["secret_id"], mount_point=APPROLE)["auth"]
    assert login["metadata"] == {"host": "a", "role_name": "web"} and web.is_authenticated()
    assert approle.read_secret_id(secret_id=made["secret_id"], **at)["data"]["metadata"] == {"host": "a"}
    accessor = made["secret_id_accessor"]
    assert approle.list_secret_id_accessors(**at)["data"]["keys"] == [accessor]
    assert approle.read_secret_id_accessor(secret_id_accessor=accessor, **at)["data"]["secret_id_accessor"] == accessor
    approle.create_custom_secret_id(secret_id="mine", **at)
    approle.destroy_secret_id(secret_id="mine", **at)
    approle.destroy_secret_id_accessor(secret_id_accessor=accessor, **at)
    again = client().auth.approle.login
    refused(exceptions.InvalidRequest, again, "chosen", made["secret_id"], mount_point=APPROLE)
    wrapped = approle.generate_secret_id(wrap_ttl="5m", **at)["wrap_info"]["token"]
    assert client(wrapped).sys.unwrap()["data"]["secret_id"]
    approle.delete_role(**at)


@suite.test
def login_with_a_certificate():
    with open(site.client_ca, encoding="ascii") as file:
        authority = file.read()
    root.auth.cert.create_ca_certificate_role(
        "operator", certificate=authority, token_policies=[POLICY], token_ttl="1h", mount_point=CERT
    )
    assert root.auth.cert.list_certificate_roles(mount_point=CERT)["data"]["keys"] == ["operator"]
    assert root.auth.cert.read_ca_certificate_role("operator", mount_point=CERT)["data"]["token_ttl"] == 3600
    bearer = client()
    login = bearer.auth.cert.login(name="operator", cert_pem=site.certificate, key_pem=site.key, mount_point=CERT)
    assert login["auth"]["metadata"]["cert_name"] == "operator"
    root.auth.cert.delete_certificate_role("operator", mount_point=CERT)


@suite.test
def wrapping():
    wrapped = root.sys.wrap({"a": "b"}, ttl=60)["wrap_info"]["token"]
    assert client(wrapped).sys.unwrap()["data"] == {"a": "b"}
    refused(exceptions.InvalidRequest, root.sys.unwrap, wrapped)
    wrapped = root.auth.token.create(policies=[POLICY], wrap_ttl="1m")["wrap_info"]
    assert wrapped["creation_path"] == "auth/token/create" and wrapped["ttl"] == 60
    assert root.sys.unwrap(wrapped["token"])["auth"]["client_token"]
    holder = client()
    holder.auth_cubbyhole(root.auth.token.create(policies=[POLICY], wrap_ttl="1m")["wrap_info"]["token"])
    assert holder.is_authenticated()


@suite.test
def audit_devices():
    devices = root.sys.list_enabled_audit_devices()["data"]
    for path in devices:
        digest = root.sys.calculate_hash(path.rstrip("/"), "a")["data"]["hash"]
        assert digest.startswith("hmac-sha256:") and digest == root.sys.calculate_hash(path.rstrip("/"), "a")["data"]["hash"]
    refused(exceptions.InvalidRequest, root.sys.enable_audit_device, "file", options={"file_path": "/dev/null"})
    refused(exceptions.InvalidRequest, root.sys.calculate_hash, unique("none"), "a")


@suite.test
def quotas():
    name = unique("quota")
    root.sys.create_or_update_quota(name, rate=100000.0)
    assert root.sys.read_quota(name)["data"]["rate"] == 100000
    assert name in root.sys.list_quotas()["data"]["keys"]
    root.sys.delete_quota(name)


@suite.test
def database_credentials_and_their_leases():
    url, name, password = site.database()
    database = root.secrets.database
    root.sys.enable_secrets_engine("database", path=DATABASE)
    at = {"mount_point": DATABASE}
    database.configure(
        "main", "postgresql-database-plugin", allowed_roles=["*"], connection_url=url, username=name, password=password, **at
    )
    assert database.list_connections(**at)["data"]["keys"] == ["main"]
    assert "password" not in database.read_connection("main", **at)["data"]["connection_details"]
    create = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
    database.create_role("app", "main", [create], default_ttl="1h", max_ttl="4h", **at)
    assert database.list_roles(**at)["data"]["keys"] == ["app"]
    assert database.read_role("app", **at)["data"]["default_ttl"] == 3600
    made = database.generate_credentials("app", **at)
    lease = made["lease_id"]
    assert made["data"]["username"] and made["data"]["password"]
    assert root.sys.read_lease(lease)["data"]["renewable"]
    assert root.sys.list_leases(f"{DATABASE}/creds/app")["data"]["keys"] == [lease.rsplit("/", 1)[1]]
    assert root.sys.renew_lease(lease, increment=7200)["lease_duration"] == 7200
    root.sys.revoke_lease(lease)
    eventually(lambda: is_refused(exceptions.InvalidRequest, root.sys.read_lease, lease))
    database.generate_credentials("app", **at)
    root.sys.revoke_prefix(f"{DATABASE}/creds")
    database.generate_credentials("app", **at)
    root.sys.revoke_force(f"{DATABASE}/creds")
    database.reset_connection("main", **at)
    database.delete_role("app", **at)
    database.delete_connection("main", **at)


@suite.test
def keys():
    before = root.sys.get_encryption_key_status()
    root.sys.rotate_encryption_key()
    after = root.sys.get_encryption_key_status()
    assert after["data"]["term"] == before["data"]["term"] + 1


@suite.test
def a_root_token_is_generated():
    shares = site.quorum()
    opened(root.sys.start_root_token_generation)
    root.sys.cancel_root_generation()
    begun = root.sys.start_root_token_generation()
    assert root.sys.read_root_generation_progress()["nonce"] == begun["nonce"]
    for share in shares:
        answer = root.sys.generate_root(share, begun["nonce"])
    assert answer["complete"]
    token = decode_root_token(answer["encoded_token"], begun["otp"])
    assert client(token).lookup_token()["data"]["policies"] == ["root"]
    client(token).auth.token.revoke_self()


@suite.test
def the_key_shares_are_changed():
    shares = site.quorum()
    opened(root.sys.start_rekey, 4, 3)
    assert root.sys.read_rekey_progress()["started"]
    root.sys.cancel_rekey()
    begun = root.sys.start_rekey(4, 3)
    done = root.sys.rekey_multi(shares, nonce=begun["nonce"])
    assert done["complete"] and len(done["keys_base64"]) == 4
    site.shares = done["keys_base64"]


@suite.test
def sealing_and_unsealing():
    shares = site.quorum()
    root.sys.seal()
    eventually(root.sys.is_sealed)
    refused(exceptions.VaultDown, root.sys.list_mounted_secrets_engines)
    assert not root.sys.submit_unseal_keys(shares)["sealed"]
    eventually(root.is_authenticated)


@suite.test
def what_was_mounted_is_unmounted():
    for path in (KV1, KV2, DATABASE):
        root.sys.disable_secrets_engine(path)
    for path in (USERPASS, APPROLE, CERT):
        root.sys.disable_auth_method(path)
    root.sys.delete_policy(POLICY)


if __name__ == "__main__":
    suite.include(hvac_identity.suite, hvac_system.suite)
    suite.run()
