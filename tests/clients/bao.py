#!/usr/bin/env python3
"""The command line of OpenBao against a running server: it must not notice that it talks to something else.

Needs Python 3.9 or later without other packages, `bao` on the PATH (or named by $BAO), and a server; how the server is
named is said at the head of suite.py beside this file. Best given a new server, which it initialises with five shares
of which three unseal. `bao.py WORD …` runs the tests whose names contain a word.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

from suite import LeftOut, Site, Suite, decode_root_token, eventually, unique

site = Site()
suite = Suite()
program = os.environ.get("BAO") or shutil.which("bao")
if not program:
    sys.exit("there is no bao on the PATH, and $BAO names none")
home = tempfile.TemporaryDirectory(prefix="arca-bao-")
folder = Path(home.name)

Ended = namedtuple("Ended", "code out err")

KV1, KV2, POLICY = unique("one"), unique("two"), unique("reader")
USERPASS, APPROLE, CERT, DATABASE = unique("userpass"), unique("approle"), unique("cert"), unique("database")


def run(*words, token=None, given=None, **environment):
    """How `bao` ended with these words."""
    own = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "BAO_ADDR": site.address,
        "BAO_CACERT": site.ca,
        "BAO_CLIENT_CERT": site.certificate,
        "BAO_CLIENT_KEY": site.key,
        "BAO_MAX_RETRIES": "0",
        **environment,
    }
    if token:
        own["BAO_TOKEN"] = token
    ended = subprocess.run([program, *words], input=given or "", capture_output=True, text=True, timeout=60, env=own)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def bao(*words, code=0, **how):
    """What `bao` wrote (its errors too), having ended with `code`."""
    ended = run(*words, **how)
    said = ended.out + ended.err
    assert ended.code == code, f"bao {' '.join(words)}: {ended.code} instead of {code}\n{said}"
    return said


def data(*words, **how):
    """The JSON that a command wrote."""
    position = next((i for i, word in enumerate(words) if word == "--"), len(words))
    verbs = 1 + (words[0] in ("kv", "token", "policy", "secrets", "auth", "lease", "operator", "audit", "print"))
    verbs += words[:2] == ("kv", "metadata")
    words = (*words[:verbs], "-format=json", *words[verbs:position])
    ended = run(*words, **how)
    assert ended.code == 0, f"bao {' '.join(words)}: {ended.code}\n{ended.out}{ended.err}"
    return json.loads(ended.out)


def field(name, *words, **how):
    return run(words[0], *_inserted(words, f"-field={name}"), **how).out.strip()


def _inserted(words, flag):
    grouped = words[0] in ("kv", "token")
    return (words[1], flag, *words[2:]) if grouped else (flag, *words[1:])


def has(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"


def root():
    assert site.token, "there is no root token: the vault could not be initialised, or ARCA_TOKEN is not set"
    return site.token


@suite.test
def status_before_and_after_unsealing():
    status = run("status", "-format=json")
    if json.loads(status.out)["initialized"]:
        if not site.token:
            sys.exit("the vault is initialised: ARCA_TOKEN must be a root token of it")
        raise LeftOut("the vault is initialised already")
    assert status.code == 2, status
    has(bao("status", code=2), "Initialized", "Total Shares       0")
    has(bao("operator", "init", "-status", code=2), "not initialized")
    made = data("operator", "init")
    site.token, site.shares = made["root_token"], made["unseal_keys_b64"]
    assert (len(site.shares), made["unseal_threshold"], len(made["unseal_keys_hex"])) == (5, 3, 5)
    has(bao("operator", "init", code=2), "already initialized")
    has(bao("operator", "unseal", site.shares[0]), "Unseal Progress    1/3")
    has(bao("operator", "unseal", "-reset"), "Unseal Progress    0/3")
    for share, progress in zip(site.shares, ("1/3", "2/3")):
        has(bao("operator", "unseal", share), progress)
    opened = data("operator", "unseal", made["unseal_keys_hex"][2])
    assert (opened["sealed"], opened["t"], opened["n"]) == (False, 3, 5)
    has(bao("status"), "Cluster ID", "Sealed          false")
    has(bao("operator", "init", "-status"), "is initialized")


@suite.test
def login_with_a_token_is_remembered():
    has(bao("login", root()), "Success! You are now authenticated", 'policies             ["root"]')
    assert bao("print", "token").strip() == root()
    assert data("token", "lookup")["data"]["policies"] == ["root"]
    has(bao("login", "-no-store", "nonsense", code=2), "permission denied")


@suite.test
def the_built_in_mounts_are_listed():
    mounts = data("secrets", "list")
    assert {"cubbyhole/", "sys/"} <= mounts.keys()
    has(bao("secrets", "list", "-detailed"), "Running Version", "cubbyhole/")
    assert "token/" in data("auth", "list")
    has(bao("auth", "list", "-detailed"), "default-service")
    assert {"default", "root"} <= set(data("policy", "list"))


@suite.test
def audit_devices_are_listed_and_declared_in_the_configuration_only():
    listed = run("audit", "list", "-format=json")
    assert listed.code in (0, 2), listed
    devices = list(json.loads(listed.out).values()) if listed.code == 0 else []
    for device in devices:
        assert {"type", "path", "options"} <= device.keys()
        has(bao("audit", "list", "-detailed"), "file_path")
    has(bao("audit", "enable", "file", "file_path=/dev/null", code=2), "declarative, config-based")


@suite.test
def secrets_engines_come_and_go():
    has(bao("secrets", "enable", f"-path={KV1}", "-version=1", "-description=first", "kv"), "Success! Enabled")
    bao("secrets", "enable", f"-path={KV2}", "kv-v2")
    has(bao("secrets", "enable", f"-path={KV2}", "kv-v2", code=2), "path is already in use")
    has(bao("secrets", "enable", "no-such-engine", code=2), "no-such-engine")
    moved, there = unique("moved"), unique("there")
    bao("secrets", "enable", f"-path={moved}", "kv")
    has(bao("secrets", "tune", "-default-lease-ttl=1h", "-max-lease-ttl=2h", "-description=tuned", moved), "Tuned")
    tuned = data("read", f"sys/mounts/{moved}/tune")["data"]
    assert (tuned["default_lease_ttl"], tuned["max_lease_ttl"], tuned["description"]) == (3600, 7200, "tuned")
    has(bao("secrets", "move", moved, there), "Finished moving")
    has(bao("secrets", "move", moved, there, code=2), "no matching mount")
    assert f"{there}/" in data("secrets", "list")
    has(bao("secrets", "disable", there), "Success! Disabled")
    bao("secrets", "disable", there)
    assert f"{there}/" not in data("secrets", "list")


@suite.test
def key_values_version_1():
    has(bao("kv", "put", f"{KV1}/a/b", "x=1", "y=two"), "Success! Data written")
    has(bao("kv", "get", f"{KV1}/a/b"), "x      1", "y      two")
    assert field("y", "kv", "get", f"{KV1}/a/b") == "two"
    assert data("kv", "get", f"-mount={KV1}", "a/b")["data"] == {"x": "1", "y": "two"}
    assert (data("kv", "list", KV1), data("kv", "list", f"{KV1}/a")) == (["a/"], ["b"])
    has(bao("kv", "get", f"{KV1}/none", code=2), "No value found")
    bao("kv", "list", f"{KV1}/none", code=2)
    has(bao("kv", "patch", f"{KV1}/a/b", "z=1", code=2), "K/V engine mount must be version 2")
    has(bao("kv", "delete", f"{KV1}/a/b"), "Data deleted")
    bao("kv", "get", f"{KV1}/a/b", code=2)


@suite.test
def key_values_version_2():
    secret = f"{KV2}/a/b"
    has(bao("kv", "put", secret, "x=1", "y=two"), "Secret Path", "version            1")
    bao("kv", "put", f"-mount={KV2}", "a/b", "x=2")
    has(bao("kv", "put", "-cas=0", secret, "x=3", code=2), "check-and-set parameter did not match")
    assert data("kv", "put", "-cas=2", secret, "x=3")["data"]["version"] == 3
    has(bao("kv", "get", "-version=1", secret), "two")
    has(bao("kv", "get", "-version=9", secret, code=2), "No value found")
    assert field("x", "kv", "get", secret) == "3"
    has(bao("kv", "get", "-format=yaml", secret), "destroyed: false")
    bao("kv", "patch", secret, "z=4")
    bao("kv", "patch", "-method=rw", secret, "z=5")
    bao("kv", "patch", "-method=patch", "-cas=5", secret, "z=6")
    assert data("kv", "get", secret)["data"]["data"] == {"x": "3", "z": "6"}
    bao("kv", "patch", f"{KV2}/none", "z=1", code=2)
    has(bao("kv", "delete", secret), "Data deleted")
    assert data("kv", "get", secret)["data"]["data"] is None
    bao("kv", "undelete", "-versions=6", secret)
    has(bao("kv", "get", secret), "version            6")
    bao("kv", "delete", "-versions=1,2", secret)
    bao("kv", "destroy", "-versions=1", secret)
    versions = data("kv", "metadata", "get", secret)["data"]["versions"]
    assert versions["1"]["destroyed"] and versions["2"]["deletion_time"] and not versions["2"]["destroyed"]
    assert data("kv", "rollback", "-version=4", secret)["data"]["version"] == 7
    has(bao("kv", "rollback", "-version=1", secret, code=2), "Cannot roll back to a version that has been deleted")
    assert data("kv", "list", KV2) == ["a/"]
    bao("kv", "metadata", "delete", secret)
    bao("kv", "metadata", "get", secret, code=2)


@suite.test
def metadata_and_configuration_of_key_values():
    secret = f"{KV2}/described"
    words = ("-max-versions=4", "-delete-version-after=1h", "-custom-metadata=a=b", "-custom-metadata=c=d")
    bao("kv", "metadata", "put", *words, secret)
    bao("kv", "metadata", "patch", "-custom-metadata=e=f", secret)
    bao("kv", "metadata", "patch", "-remove-custom-metadata=a", secret)
    bao("kv", "metadata", "patch", "-cas-required", secret)
    described = data("kv", "metadata", "get", secret)["data"]
    assert described["custom_metadata"] == {"c": "d", "e": "f"}
    assert (described["max_versions"], described["delete_version_after"]) == (4, "1h0m0s")
    has(bao("kv", "put", secret, "x=1", code=2), "check-and-set parameter required")
    bao("kv", "put", "-cas=0", secret, "x=1")
    has(bao("kv", "metadata", "get", secret), "custom_metadata", "cas_required", "Version 1")
    bao("write", f"{KV2}/config", "max_versions=5")
    assert data("read", f"{KV2}/config")["data"]["max_versions"] == 5
    bao("kv", "enable-versioning", KV1)
    eventually(lambda: data("secrets", "list")[f"{KV1}/"]["options"] == {"version": "2"})


@suite.test
def plain_reads_and_writes():
    request = folder / "request.json"
    request.write_text('{"data": {"k": {"n": 1}}, "options": {"cas": 0}}')
    bao("write", f"{KV2}/data/plain", f"@{request}")
    assert data("read", f"{KV2}/data/plain")["data"]["data"] == {"k": {"n": 1}}
    has(bao("read", "-format=yaml", f"{KV2}/data/plain"), "n: 1")
    assert "plain" in data("list", f"{KV2}/metadata")
    has(bao("read", f"{KV2}/data/none", code=2), "No value found")
    has(bao("list", "nowhere", code=2), "No value found")
    has(bao("write", "nowhere/x", "a=b", code=2), "no handler for route")
    has(bao("delete", f"{KV2}/data/plain"), "Data deleted")
    has(bao("kv", "put", "-output-policy", f"{KV2}/q", "a=1"), f'path "{KV2}/data/q"')
    has(bao("kv", "get", "-output-curl-string", f"{KV2}/q"), "curl", f"/v1/{KV2}/data/q")


@suite.test
def help_for_paths():
    has(bao("path-help", KV2), "## PATHS", "data/{")
    has(bao("path-help", f"{KV2}/data/foo"), "Request:        data/foo", "## PARAMETERS", "version")
    has(bao("path-help", "auth/token/create"), "ttl")
    has(bao("path-help", "sys/mounts"), "read")
    has(bao("path-help", "sys/seal-status"), "seal-status")
    bao("path-help", "sys/nowhere", code=2)
    bao("path-help", "nowhere", code=2)


@suite.test
def policies():
    text = f'path "{KV2}/data/*" {{ capabilities = ["read", "list"] }}\n'
    file = folder / "policy.hcl"
    file.write_text(text)
    has(bao("policy", "write", POLICY, str(file)), "Success! Uploaded policy")
    assert run("policy", "read", POLICY).out.strip() == text.strip()
    assert POLICY in data("policy", "list")
    file.write_text('path "a" {\ncapabilities=["read"] }')
    bao("policy", "fmt", str(file))
    has(bao("policy", "read", "none", code=2), "No policy named")
    has(bao("policy", "write", "bad", "-", given="garbage", code=2), "failed to parse policy: At ")
    has(bao("policy", "write", "root", str(file), code=2), "cannot update")
    has(bao("policy", "delete", "root", code=2), "cannot delete")
    bao("policy", "write", "gone", "-", given=text)
    bao("policy", "delete", "gone")
    assert "gone" not in data("policy", "list")


@suite.test
def tokens():
    token = field("token", "token", "create", f"-policy={POLICY}", "-ttl=1h")
    accessor = data("token", "lookup", token)["data"]["accessor"]
    assert data("token", "lookup", "-accessor", accessor)["data"]["id"] == ""
    assert data("token", "renew", token)["auth"]["lease_duration"] == 3600
    assert data("token", "renew", "-increment=2h", token)["auth"]["lease_duration"] == 7200
    assert data("token", "renew", token)["auth"]["lease_duration"] == 7200
    assert bao("token", "capabilities", token, f"{KV2}/data/x").strip() == "list, read"
    assert bao("token", "capabilities", token, "elsewhere").strip() == "deny"
    assert bao("token", "capabilities", "sys/mounts").strip() == "root"
    has(bao("token", "renew", token=token), "token_duration")
    has(bao("secrets", "list", token=token, code=2), "permission denied")
    child = field("token", "token", "create", "-orphan", "-period=1h", "-use-limit=3", "-metadata=a=b", "-display-name=d")
    assert data("token", "lookup", child)["data"]["meta"] == {"a": "b"}
    batch = data("token", "create", "-type=batch", f"-policy={POLICY}", "-ttl=10m")["auth"]
    assert batch["accessor"] == "" and not batch["renewable"]
    bao("token", "revoke", child)
    bao("token", "revoke", "-accessor", accessor)
    has(bao("token", "lookup", token, code=2), "bad token")
    orphan = field("token", "token", "create", f"-policy={POLICY}")
    bao("token", "revoke", "-mode=orphan", orphan)
    own = field("token", "token", "create", f"-policy={POLICY}")
    bao("token", "revoke", "-self", token=own)
    has(bao("token", "lookup", token=own, code=2), "permission denied")
    has(bao("kv", "get", f"{KV2}/x", token="nonsense", code=2), "permission denied")


@suite.test
def token_roles():
    role = unique("role")
    words = (f"allowed_policies={POLICY}", "orphan=true", "token_period=1h", "renewable=true")
    bao("write", f"auth/token/roles/{role}", *words)
    assert data("read", f"auth/token/roles/{role}")["data"]["token_period"] == 3600
    assert data("token", "create", f"-role={role}", f"-policy={POLICY}")["auth"]["lease_duration"] == 3600
    has(bao("token", "create", f"-role={role}", "-policy=other", code=2), "must be subset of the role's allowed policies")
    assert role in data("list", "auth/token/roles")
    bao("delete", f"auth/token/roles/{role}")
    assert len(data("list", "auth/token/accessors")) > 1


@suite.test
def auth_methods_come_and_go():
    for path, kind in ((USERPASS, "userpass"), (APPROLE, "approle"), (CERT, "cert")):
        has(bao("auth", "enable", f"-path={path}", "-description=d", kind), "Success! Enabled")
    has(bao("auth", "enable", f"-path={CERT}", "cert", code=2), "path is already in use")
    gone, there = unique("gone"), unique("there")
    bao("auth", "enable", f"-path={gone}", "userpass")
    bao("auth", "tune", "-default-lease-ttl=72m", "-max-lease-ttl=100m", "-token-type=batch", f"{gone}/")
    tuned = data("read", f"sys/auth/{gone}/tune")["data"]
    assert (tuned["default_lease_ttl"], tuned["max_lease_ttl"], tuned["token_type"]) == (4320, 6000, "batch")
    has(bao("auth", "move", f"auth/{gone}", f"auth/{there}"), "Finished moving")
    bao("auth", "disable", there)
    assert f"{there}/" not in data("auth", "list")


@suite.test
def login_with_a_password():
    bao("write", f"auth/{USERPASS}/users/alice", "password=secret", f"token_policies={POLICY}", "token_ttl=1h")
    assert data("read", f"auth/{USERPASS}/users/alice")["data"]["token_policies"] == [POLICY]
    assert data("list", f"auth/{USERPASS}/users") == ["alice"]
    login = ("login", "-no-store", "-method=userpass", f"-path={USERPASS}", "username=alice")
    has(bao(*login, "password=secret"), "Success! You are now authenticated", POLICY)
    has(bao(*login, "password=wrong", code=2), "invalid username or password")
    only = ("login", "-no-store", "-token-only", "-method=userpass", f"-path={USERPASS}", "username=alice")
    token = run(*only, "password=secret").out.strip()
    assert data("token", "lookup", token=token)["data"]["display_name"] == f"{USERPASS}-alice"
    bao("write", f"auth/{USERPASS}/users/alice/password", "password=new")
    bao(*login, "password=secret", code=2)
    bao(*login, "password=new")


@suite.test
def login_with_a_role_and_its_secret():
    role = f"auth/{APPROLE}/role/web"
    bao("write", role, f"token_policies={POLICY}", "secret_id_ttl=10m", "token_ttl=20m", "token_max_ttl=30m")
    assert data("list", f"auth/{APPROLE}/role") == ["web"]
    role_id = field("role_id", "read", f"{role}/role-id")
    secret_id = field("secret_id", "write", "-f", f"{role}/secret-id")
    login = data("write", f"auth/{APPROLE}/login", f"role_id={role_id}", f"secret_id={secret_id}")
    assert login["auth"]["lease_duration"] == 1200 and login["auth"]["metadata"] == {"role_name": "web"}
    has(bao("write", f"auth/{APPROLE}/login", f"role_id={role_id}", "secret_id=x", code=2), "invalid role or secret ID")
    assert len(data("list", f"{role}/secret-id")) == 1


@suite.test
def login_with_a_certificate():
    bao("write", f"auth/{CERT}/certs/operator", f"certificate=@{site.client_ca}", f"token_policies={POLICY}", "token_ttl=1h")
    assert data("list", f"auth/{CERT}/certs") == ["operator"]
    login = ("login", "-no-store", "-method=cert", f"-path={CERT}")
    has(bao(*login), "Success! You are now authenticated", "token_meta_cert_name", POLICY)
    has(bao(*login, "name=operator"), "token_meta_serial_number")
    has(bao(*login, "name=other", code=2), "invalid certificate")


@suite.test
def wrapping():
    wrapped = field("wrapping_token", "token", "create", "-wrap-ttl=5m", f"-policy={POLICY}")
    assert data("write", "sys/wrapping/lookup", f"token={wrapped}")["data"]["creation_ttl"] == 300
    assert POLICY in data("unwrap", wrapped)["auth"]["policies"]
    has(bao("unwrap", wrapped, code=2), "wrapping token is not valid or does not exist")
    wrap = ("write", "-wrap-ttl=1h", "sys/wrapping/wrap", "a=b", "c=d")
    wrapped = data(*wrap)["wrap_info"]["token"]
    again = data("write", "sys/wrapping/rewrap", f"token={wrapped}")["wrap_info"]["token"]
    assert data("unwrap", again)["data"] == {"a": "b", "c": "d"}
    wrapped = data(*wrap)["wrap_info"]["token"]
    assert data("unwrap", token=wrapped)["data"] == {"a": "b", "c": "d"}
    has(bao("kv", "put", "-wrap-ttl=5m", f"{KV2}/wrapped", "a=1"), "wrapping_token:")


@suite.test
def database_credentials_and_their_leases():
    url, name, password = site.database()
    bao("secrets", "enable", f"-path={DATABASE}", "database")
    words = ("plugin_name=postgresql-database-plugin", "allowed_roles=*", f"connection_url={url}")
    bao("write", f"{DATABASE}/config/main", *words, f"username={name}", f"password={password}")
    shown = bao("read", f"{DATABASE}/config/main")
    has(shown, "postgresql-database-plugin")
    assert f"password={password}" not in shown
    create = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
    bao("write", f"{DATABASE}/roles/app", "db_name=main", f"creation_statements={create}", "default_ttl=1h", "max_ttl=4h")
    assert data("list", f"{DATABASE}/roles") == ["app"]
    made = data("read", f"{DATABASE}/creds/app")
    lease = made["lease_id"]
    assert made["data"].keys() == {"username", "password"} and made["lease_duration"] == 3600
    assert data("lease", "lookup", lease)["data"]["renewable"]
    has(bao("lease", "renew", lease), "lease_duration")
    assert data("lease", "renew", "-increment=2h", lease)["lease_duration"] == 7200
    assert data("list", f"sys/leases/lookup/{DATABASE}/creds/app") == [lease.rsplit("/", 1)[1]]
    has(bao("lease", "revoke", "-sync", lease), "Success")
    has(bao("lease", "lookup", lease, code=2), "invalid lease")
    for _ in range(2):
        bao("read", f"{DATABASE}/creds/app")
    bao("lease", "revoke", "-sync", "-prefix", f"{DATABASE}/creds")
    bao("list", f"sys/leases/lookup/{DATABASE}/creds/app", code=2)
    bao("read", f"{DATABASE}/creds/app")
    has(bao("lease", "revoke", "-force", "-prefix", f"{DATABASE}/creds"), "Success")
    bao("lease", "renew", "nonsense", code=2)


@suite.test
def system_paths():
    assert data("read", "sys/health")["data"]["initialized"]
    assert len(field("random_bytes", "write", "sys/tools/random/8", "format=hex")) == 16
    digest = field("sum", "write", "sys/tools/hash/sha2-256", "input=YQ==")
    assert digest == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    quota = unique("quota")
    bao("write", f"sys/quotas/rate-limit/{quota}", "rate=100000")
    assert field("rate", "read", f"sys/quotas/rate-limit/{quota}") == "100000"
    bao("delete", f"sys/quotas/rate-limit/{quota}")
    rule = 'length=20\nrule "charset" { charset = "abc" }'
    bao("write", f"sys/policies/password/{quota}", f"policy={rule}")
    assert set(field("password", "read", f"sys/policies/password/{quota}/generate")) <= set("abc")
    has(bao("version-history"), "Installation Time")
    has(bao("operator", "members"), "Active Node")
    has(bao("plugin", "list"), "postgresql-database-plugin", "approle")
    has(bao("read", "sys/internal/ui/mounts"), "secret")


@suite.test
def keys_are_rotated():
    before = data("operator", "key-status")["term"]
    has(bao("operator", "key-status"), "Key Term", "Encryption Count")
    has(bao("operator", "rotate"), "Success! Rotated key")
    assert data("operator", "key-status")["term"] == before + 1
    has(bao("kv", "put", f"{KV2}/after-rotation", "a=1"), "created_time")


@suite.test
def a_root_token_is_generated():
    shares = site.quorum()
    begun = data("operator", "generate-root", "-init")
    assert begun["started"] and begun["required"] == 3
    has(bao("operator", "generate-root", "-status"), "Started", begun["nonce"])
    bao("operator", "generate-root", "-cancel")
    begun = data("operator", "generate-root", "-init")
    for share in shares[:2]:
        has(bao("operator", "generate-root", f"-nonce={begun['nonce']}", share), "Progress")
    done = data("operator", "generate-root", f"-nonce={begun['nonce']}", shares[2])
    assert done["complete"]
    encoded = done.get("encoded_token") or done["encoded_root_token"]
    token = run("operator", "generate-root", f"-decode={encoded}", f"-otp={begun['otp']}").out.strip()
    assert token == decode_root_token(encoded, begun["otp"])
    assert data("token", "lookup", token=token)["data"]["policies"] == ["root"]
    bao("token", "revoke", "-self", token=token)


@suite.test
def the_key_shares_are_changed():
    shares = site.quorum()
    begun = data("operator", "rotate-keys", "-init", "-key-shares=4", "-key-threshold=3")
    nonce = begun["nonce"]
    has(bao("operator", "rotate-keys", "-status"), nonce)
    bao("operator", "rotate-keys", "-cancel")
    nonce = data("operator", "rotate-keys", "-init", "-key-shares=4", "-key-threshold=3")["nonce"]
    for share in shares[:2]:
        bao("operator", "rotate-keys", f"-nonce={nonce}", share)
    done = data("operator", "rotate-keys", f"-nonce={nonce}", shares[2])
    assert done["complete"] and len(done["keys_base64"]) == 4
    site.shares = done["keys_base64"]


@suite.test
def an_agent_logs_in_and_renders_a_secret():
    bao("kv", "put", f"{KV2}/rendered", "motto=plain and simple")
    target, source = folder / "rendered.txt", folder / "template.ctmpl"
    source.write_text(f'{{{{ with secret "{KV2}/data/rendered" }}}}motto: {{{{ .Data.data.motto }}}}{{{{ end }}}}\n')
    configuration = folder / "agent.hcl"
    configuration.write_text(
        f'''exit_after_auth = true
vault {{
  address     = "{site.address}"
  ca_cert     = "{site.ca}"
  client_cert = "{site.certificate}"
  client_key  = "{site.key}"
}}
auto_auth {{
  method "cert" {{
    mount_path = "auth/{CERT}"
    config = {{
      name        = "operator"
      ca_cert     = "{site.ca}"
      client_cert = "{site.certificate}"
      client_key  = "{site.key}"
    }}
  }}
}}
template {{
  source      = "{source}"
  destination = "{target}"
}}
'''
    )
    bao("agent", f"-config={configuration}")
    assert target.read_text() == "motto: plain and simple\n"


@suite.test
def sealing_and_unsealing():
    shares = site.quorum()
    has(bao("operator", "seal"), "Vault is sealed")
    eventually(lambda: run("status").code == 2)
    has(bao("kv", "get", f"{KV2}/rendered", code=2), "sealed")
    for share in shares:
        bao("operator", "unseal", share)
    eventually(lambda: run("token", "lookup").code == 0)


@suite.test
def what_was_mounted_is_unmounted():
    for path in (KV1, KV2, DATABASE):
        bao("secrets", "disable", path)
    for path in (USERPASS, APPROLE, CERT):
        bao("auth", "disable", path)
    bao("policy", "delete", POLICY)


if __name__ == "__main__":
    suite.run()
