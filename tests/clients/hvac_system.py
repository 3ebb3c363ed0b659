"""What operators set up, with the client hvac: health, tools, password policies, quotas, namespaces, batch tokens."""

import base64
import hashlib

from hvac_site import client, exceptions, refused, root
from suite import Suite, eventually, unique

suite = Suite()


@suite.test
def health_in_a_status():
    health = root.sys.read_health_status(method="GET")
    assert (health["initialized"], health["sealed"], health["standby"]) == (True, False, False)
    assert (health["replication_performance_mode"], health["replication_dr_mode"]) == ("disabled", "disabled")
    status = root.sys.read_seal_status()
    assert (health["version"], health["cluster_id"]) == (status["version"], status["cluster_id"])
    enabled = len(root.sys.list_enabled_audit_devices()["data"])
    assert health["audit"] == {"enabled": enabled, "failing": 0}
    # With HEAD the client leaves out what it was asked to ask for.
    assert root.sys.read_health_status(method="HEAD").status_code == 200
    assert root.sys.read_health_status(active_code=299, method="GET").status_code == 299
    assert root.sys.read_health_status(active_code=204, method="GET").status_code == 204
    assert root.sys.read_health_status(sealed_code=234, uninit_code=235, standby_ok=True, method="GET")["initialized"]
    assert root.sys.read_health_status(active_code="many", method="GET").status_code == 400


@suite.test
def random_bytes_and_hashes():
    made = root.write_data("sys/tools/random", data={"bytes": 24})["data"]["random_bytes"]
    assert len(base64.b64decode(made)) == 24
    made = root.write_data("sys/tools/random/16", data={"format": "hex"})["data"]["random_bytes"]
    assert len(bytes.fromhex(made)) == 16
    text = base64.b64encode(b"of the suite").decode()
    for algorithm in ("sha2-256", "sha2-512", "sha3-256"):
        made = root.write_data(f"sys/tools/hash/{algorithm}", data={"input": text})["data"]["sum"]
        assert made == hashlib.new(algorithm.replace("sha2-", "sha").replace("sha3-", "sha3_"), b"of the suite").hexdigest()
    made = root.write_data("sys/tools/hash", data={"input": text, "format": "base64"})["data"]["sum"]
    assert base64.b64decode(made) == hashlib.sha256(b"of the suite").digest()
    refused(exceptions.InvalidRequest, root.write_data, "sys/tools/hash/md4", data={"input": text})
    refused(exceptions.InvalidRequest, root.write_data, "sys/tools/random", data={"bytes": 0})


@suite.test
def password_policies():
    path = f"sys/policies/password/{unique('letters')}"
    rules = 'length = 24\nrule "charset" {\n  charset = "abcdef"\n  min-chars = 1\n}\nrule "charset" {\n  charset = "012"\n  min-chars = 3\n}\n'
    root.write_data(path, data={"policy": rules})
    assert root.read(path)["data"]["policy"] == rules
    assert path.rsplit("/", 1)[1] in root.list("sys/policies/password")["data"]["keys"]
    made = {root.read(f"{path}/generate")["data"]["password"] for _ in range(8)}
    assert len(made) == 8
    for password in made:
        assert len(password) == 24 and set(password) <= set("abcdef012")
        assert sum(letter in "012" for letter in password) >= 3 and any(letter in "abcdef" for letter in password)
    refused(exceptions.InvalidRequest, root.write_data, path, data={"policy": "length = 2"})
    root.delete(path)
    assert root.read(path) is None


@suite.test
def quotas_are_kept():
    mount, rate, leases = unique("kv"), unique("rate"), unique("leases")
    root.sys.enable_secrets_engine("kv", path=mount, options={"version": "1"})
    root.sys.create_or_update_quota(rate, rate=2.0, interval="30s", path=f"{mount}/")
    read = root.sys.read_quota(rate)["data"]
    assert (read["rate"], read["interval"], read["path"], read["type"]) == (2, 30, f"{mount}/", "rate-limit")
    root.write_data(f"{mount}/a", data={"x": "1"})
    root.write_data(f"{mount}/a", data={"x": "2"})
    refused(exceptions.RateLimitExceeded, root.write_data, f"{mount}/a", data={"x": "3"})
    root.sys.delete_quota(rate)
    assert root.read(f"{mount}/a")["data"] == {"x": "2"}
    path = unique("userpass")
    root.sys.enable_auth_method("userpass", path=path)
    root.auth.userpass.create_or_update_user("alice", "secret", mount_point=path)
    root.write_data(f"sys/quotas/lease-count/{leases}", data={"max_leases": 1, "path": f"auth/{path}/"})
    read = root.read(f"sys/quotas/lease-count/{leases}")["data"]
    assert (read["max_leases"], read["path"]) == (1, f"auth/{path}/")
    held = client()
    held.auth.userpass.login("alice", "secret", mount_point=path)
    refused(exceptions.RateLimitExceeded, client().auth.userpass.login, "alice", "secret", mount_point=path)
    held.auth.token.revoke_self()
    eventually(lambda: client().auth.userpass.login("alice", "secret", mount_point=path)["auth"]["client_token"])
    root.delete(f"sys/quotas/lease-count/{leases}")
    root.sys.disable_auth_method(path)
    root.sys.disable_secrets_engine(mount)


@suite.test
def namespaces_are_worlds_of_their_own():
    name, policy = unique("team"), unique("reader")
    root.sys.create_namespace(name)
    assert f"{name}/" in root.sys.list_namespaces()["data"]["keys"]
    there = client(root.token, namespace=name)
    there.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    assert "secret/" in there.sys.list_mounted_secrets_engines()["data"]
    assert there.secrets.kv.v2.create_or_update_secret("a", {"x": "1"})["data"]["version"] == 1
    assert root.read(f"{name}/secret/data/a")["data"]["data"] == {"x": "1"}
    there.sys.create_or_update_policy(policy, 'path "secret/data/*" { capabilities = ["read"] }')
    assert policy in there.sys.list_policies()["data"]["policies"]
    assert policy not in root.sys.list_policies()["data"]["policies"]
    made = there.auth.token.create(policies=[policy])["auth"]["client_token"]
    there.token = made
    read = there.secrets.kv.v2.read_secret_version("a", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"x": "1"}
    refused(exceptions.Forbidden, there.sys.list_mounted_secrets_engines)
    assert client(made).auth.token.lookup_self()["data"]["namespace_path"] == f"{name}/"
    refused(exceptions.Forbidden, client(made).secrets.kv.v2.read_secret_version, "a", raise_on_deleted_version=True)
    root.sys.delete_namespace(name)
    eventually(lambda: f"{name}/" not in namespaces())
    refused(exceptions.InvalidPath, there.auth.token.lookup_self)


def namespaces():
    try:
        return root.sys.list_namespaces()["data"]["keys"]
    except exceptions.InvalidPath:
        return []


@suite.test
def batch_tokens_are_no_more_than_they_say():
    token = root.auth.token
    maker = unique("maker")
    root.sys.create_or_update_policy(maker, 'path "auth/token/create" { capabilities = ["update"] }')
    made = token.create(policies=[maker], type="batch", ttl="5m", renewable=True)["auth"]
    assert (made["accessor"], made["renewable"], made["token_type"]) == ("", False, "batch")
    held = client(made["client_token"])
    own = held.auth.token.lookup_self()["data"]
    assert (own["type"], own["accessor"], own["renewable"], own["policies"]) == ("batch", "", False, ["default", maker])
    assert 0 < own["ttl"] <= 300
    refused(exceptions.InvalidRequest, held.auth.token.renew_self)
    refused(exceptions.InvalidRequest, held.auth.token.revoke_self)
    refused(exceptions.InvalidRequest, held.auth.token.create)
    refused(exceptions.InvalidRequest, token.create, policies=["default"], type="batch", num_uses=3)
    root.sys.delete_policy(maker)


@suite.test
def wrapped_secrets_travel():
    wrapped = root.sys.wrap({"a": "b"}, ttl=120)["wrap_info"]
    assert (wrapped["ttl"], wrapped["creation_path"]) == (120, "sys/wrapping/wrap")
    about = root.write_data("sys/wrapping/lookup", data={"token": wrapped["token"]})["data"]
    assert (about["creation_ttl"], about["creation_path"]) == (120, "sys/wrapping/wrap")
    again = root.write_data("sys/wrapping/rewrap", data={"token": wrapped["token"]})["wrap_info"]
    assert again["ttl"] == 120 and again["token"] != wrapped["token"]
    refused(exceptions.InvalidRequest, root.sys.unwrap, wrapped["token"])
    assert root.sys.unwrap(again["token"])["data"] == {"a": "b"}
    # Whoever is given a role's secret wrapped is the only one who has seen it.
    path, at = unique("approle"), {"role_name": "web"}
    root.sys.enable_auth_method("approle", path=path)
    root.auth.approle.create_or_update_approle(token_policies=["default"], mount_point=path, **at)
    role_id = root.auth.approle.read_role_id(mount_point=path, **at)["data"]["role_id"]
    wrapped = root.auth.approle.generate_secret_id(wrap_ttl="5m", mount_point=path, **at)["wrap_info"]
    assert wrapped["creation_path"] == f"auth/{path}/role/web/secret-id"
    secret_id = client(wrapped["token"]).sys.unwrap()["data"]["secret_id"]
    refused(exceptions.InvalidRequest, client(wrapped["token"]).sys.unwrap)
    held = client()
    held.auth.approle.login(role_id, secret_id, mount_point=path)
    assert held.auth.token.lookup_self()["data"]["path"] == f"auth/{path}/login"
    root.sys.disable_auth_method(path)
