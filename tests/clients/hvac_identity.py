"""Who is behind a token, with the client hvac: entities, aliases, groups, templated policies, and logins with a JWT."""

import base64
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hvac_site import client, exceptions, refused, root
from suite import Suite, eventually, unique

suite = Suite()
identity = root.secrets.identity


class Signer:
    """An identity provider's key, made here, and the tokens that it signs."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self):
        """The public key."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(encoding, form).decode()

    def sign(self, **claims):
        """A token that ends in five minutes, with these claims."""
        now = int(time.time())
        signed = ".".join(map(encoded, ({"alg": "RS256", "typ": "JWT"}, {"iat": now, "exp": now + 300, **claims})))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def mounted(kind):
    """A new auth method of this type: its path, and its accessor."""
    path = unique(kind)
    root.sys.enable_auth_method(kind, path=path)
    return path, root.sys.list_auth_methods()["data"][f"{path}/"]["accessor"]


def user(path, name):
    """The client of a user of a new name and password, who has logged in, and what the login answered."""
    root.auth.userpass.create_or_update_user(name, "secret", policies="default", mount_point=path)
    held = client()
    return held, held.auth.userpass.login(name, "secret", mount_point=path)["auth"]


@suite.test
def entities():
    name, renamed = unique("entity"), unique("renamed")
    made = identity.create_or_update_entity(name, metadata={"team": "blue"}, policies=["default"])["data"]
    assert made["name"] == name and made["aliases"] is None
    read = identity.read_entity(made["id"])["data"]
    assert (read["name"], read["metadata"], read["policies"]) == (name, {"team": "blue"}, ["default"])
    assert (read["disabled"], read["aliases"], read["group_ids"]) == (False, [], [])
    assert identity.read_entity_by_name(name)["data"]["id"] == made["id"]
    identity.update_entity(made["id"], name=renamed, metadata={"team": "red", "floor": "2"})
    read = identity.read_entity_by_name(renamed)["data"]
    assert (read["id"], read["metadata"], read["policies"]) == (made["id"], {"team": "red", "floor": "2"}, ["default"])
    assert made["id"] in identity.list_entities()["data"]["keys"]
    assert identity.list_entities()["data"]["key_info"][made["id"]]["name"] == renamed
    listed = identity.list_entities_by_name()["data"]["keys"]
    assert renamed in listed and name not in listed
    identity.delete_entity_by_name(renamed)
    refused(exceptions.InvalidPath, identity.read_entity, made["id"])
    identity.create_or_update_entity_by_name(name, metadata={"team": "blue"})
    made = identity.read_entity_by_name(name)["data"]
    assert made["metadata"] == {"team": "blue"}
    identity.delete_entity(made["id"])
    refused(exceptions.InvalidPath, identity.read_entity_by_name, name)
    assert identity.lookup_entity(name=name) is None or identity.lookup_entity(name=name).status_code == 204


@suite.test
def aliases_lead_to_their_entity():
    path, accessor = mounted("userpass")
    name = unique("entity")
    entity = identity.create_or_update_entity(name)["data"]["id"]
    alias = identity.create_or_update_entity_alias("alice", entity, accessor)["data"]
    assert alias["canonical_id"] == entity
    read = identity.read_entity_alias(alias["id"])["data"]
    assert (read["name"], read["mount_accessor"], read["mount_path"]) == ("alice", accessor, f"auth/{path}/")
    assert identity.list_entity_aliases()["data"]["key_info"][alias["id"]]["mount_type"] == "userpass"
    for wanted in (
        {"name": name},
        {"entity_id": entity},
        {"alias_id": alias["id"]},
        {"alias_name": "alice", "alias_mount_accessor": accessor},
    ):
        found = identity.lookup_entity(**wanted)["data"]
        assert (found["id"], found["aliases"][0]["id"]) == (entity, alias["id"]), wanted
    held, login = user(path, "alice")
    assert login["entity_id"] == entity
    assert held.auth.token.lookup_self()["data"]["entity_id"] == entity
    identity.update_entity_alias(alias["id"], "alicia", entity, accessor)
    assert identity.read_entity_alias(alias["id"])["data"]["name"] == "alicia"
    _, login = user(path, "alice")
    assert login["entity_id"] not in ("", entity), "whoever is not known gets an entity of their own"
    identity.delete_entity_alias(alias["id"])
    refused(exceptions.InvalidPath, identity.read_entity_alias, alias["id"])
    assert identity.read_entity(entity)["data"]["aliases"] == []
    root.sys.disable_auth_method(path)


@suite.test
def entities_become_one():
    path, accessor = mounted("userpass")
    other, other_accessor = mounted("userpass")
    _, first = user(path, "alice")
    held, second = user(other, "alice")
    kept, gone = first["entity_id"], second["entity_id"]
    assert kept != gone
    identity.merge_entities([gone], kept)
    refused(exceptions.InvalidPath, identity.read_entity, gone)
    read = identity.read_entity(kept)["data"]
    assert {alias["mount_accessor"] for alias in read["aliases"]} == {accessor, other_accessor}
    assert read["merged_entity_ids"] == [gone]
    # A token that was made for the one that is gone belongs to the other.
    assert held.auth.token.lookup_self()["data"]["entity_id"] in (kept, gone)
    assert user(other, "alice")[1]["entity_id"] == kept
    refused(exceptions.InvalidRequest, identity.merge_entities, [unique("none")], kept)
    for method in (path, other):
        root.sys.disable_auth_method(method)


@suite.test
def whoever_is_disabled_is_stopped():
    path, _ = mounted("userpass")
    held, login = user(path, "alice")
    entity = login["entity_id"]
    assert held.is_authenticated()
    identity.update_entity(entity, disabled=True)
    assert identity.read_entity(entity)["data"]["disabled"] is True
    refused(exceptions.Forbidden, held.auth.token.lookup_self)
    refused(exceptions.Forbidden, client().auth.userpass.login, "alice", "secret", mount_point=path)
    identity.update_entity(entity, disabled=False)
    assert held.auth.token.lookup_self()["data"]["entity_id"] == entity
    root.sys.disable_auth_method(path)


@suite.test
def groups_and_their_members():
    name, above, policy = unique("group"), unique("above"), unique("group-policy")
    root.sys.create_or_update_policy(policy, 'path "sys/mounts" { capabilities = ["read"] }')
    path, _ = mounted("userpass")
    held, login = user(path, "alice")
    entity = login["entity_id"]
    refused(exceptions.Forbidden, held.sys.list_mounted_secrets_engines)
    made = identity.create_or_update_group(name, metadata={"team": "blue"}, member_entity_ids=[entity])["data"]
    read = identity.read_group(made["id"])["data"]
    assert (read["name"], read["type"], read["metadata"]) == (name, "internal", {"team": "blue"})
    assert read["member_entity_ids"] == [entity]
    outer = identity.create_or_update_group(above, policies=[policy], member_group_ids=[made["id"]])["data"]["id"]
    assert identity.read_group(made["id"])["data"]["parent_group_ids"] == [outer]
    # What a group may do, its members' members may do, at once.
    assert held.sys.list_mounted_secrets_engines()["data"]["sys/"]["type"] == "system"
    told = held.auth.token.lookup_self()["data"]
    assert (told["policies"], told["identity_policies"]) == (["default"], [policy])
    read = identity.read_entity(entity)["data"]
    assert (read["direct_group_ids"], read["inherited_group_ids"]) == ([made["id"]], [outer])
    assert identity.lookup_group(name=name)["data"]["id"] == identity.lookup_group(group_id=made["id"])["data"]["id"]
    assert {made["id"], outer} <= set(identity.list_groups()["data"]["keys"])
    assert {name, above} <= set(identity.list_groups_by_name()["data"]["keys"])
    refused(exceptions.InvalidRequest, identity.create_or_update_group, unique("x"), member_entity_ids=[unique("none")])
    identity.update_group(made["id"], name=name, group_type="internal", member_entity_ids=[], metadata={"team": "red"})
    assert identity.read_group_by_name(name)["data"]["metadata"] == {"team": "red"}
    refused(exceptions.Forbidden, held.sys.list_mounted_secrets_engines)
    identity.delete_group(outer)
    refused(exceptions.InvalidPath, identity.read_group_by_name, above)
    identity.create_or_update_group_by_name(above, group_type="internal", metadata={"a": "b"})
    assert identity.read_group_by_name(above)["data"]["metadata"] == {"a": "b"}
    for gone in (name, above):
        identity.delete_group_by_name(gone)
    refused(exceptions.InvalidPath, identity.read_group, made["id"])
    root.sys.disable_auth_method(path)
    root.sys.delete_policy(policy)


@suite.test
def policies_with_places_for_whoever_asks():
    mount, policy = unique("kv"), unique("own")
    root.sys.enable_secrets_engine("kv", path=mount, options={"version": "1"})
    path, accessor = mounted("userpass")
    rules = f"""
        path "{mount}/team/{{{{identity.entity.metadata.team}}}}/*" {{ capabilities = ["create", "read"] }}
        path "{mount}/user/{{{{identity.entity.aliases.{accessor}.name}}}}" {{ capabilities = ["create", "read"] }}
    """
    root.sys.create_or_update_policy(policy, rules)
    held, login = user(path, "alice")
    identity.update_entity(login["entity_id"], metadata={"team": "blue"}, policies=[policy])
    kv = held.secrets.kv.v1
    kv.create_or_update_secret("team/blue/a", {"x": "1"}, method="POST", mount_point=mount)
    kv.create_or_update_secret("user/alice", {"x": "2"}, method="POST", mount_point=mount)
    assert kv.read_secret("team/blue/a", mount_point=mount)["data"] == {"x": "1"}
    assert kv.read_secret("user/alice", mount_point=mount)["data"] == {"x": "2"}
    refused(exceptions.Forbidden, kv.read_secret, "team/red/a", mount_point=mount)
    refused(exceptions.Forbidden, kv.read_secret, "user/bob", mount_point=mount)
    identity.update_entity(login["entity_id"], metadata={"team": "red"})
    refused(exceptions.Forbidden, kv.read_secret, "team/blue/a", mount_point=mount)
    refused(exceptions.InvalidPath, kv.read_secret, "team/red/a", mount_point=mount)
    root.sys.disable_auth_method(path)
    root.sys.disable_secrets_engine(mount)
    root.sys.delete_policy(policy)


@suite.test
def logins_with_a_jwt():
    path, _ = mounted("jwt")
    jwt, signer, stranger = root.auth.jwt, Signer(), Signer()
    jwt.configure(jwt_validation_pubkeys=[signer.pem()], bound_issuer="https://idp.example", path=path)
    read = jwt.read_config(path)["data"]
    assert [key.strip() for key in read["jwt_validation_pubkeys"]] == [signer.pem().strip()]
    assert read["bound_issuer"] == "https://idp.example"
    jwt.create_role(
        "dev",
        user_claim="sub",
        allowed_redirect_uris=[],
        bound_audiences=["arca"],
        bound_claims={"team": ["blue", "red"]},
        claim_mappings={"mail": "email"},
        groups_claim="groups",
        token_policies=["default"],
        token_ttl="20m",
        path=path,
    )
    role = jwt.read_role("dev", path)["data"]
    assert (role["role_type"], role["user_claim"], role["bound_audiences"]) == ("jwt", "sub", ["arca"])
    assert (role["bound_claims"], role["claim_mappings"]) == ({"team": ["blue", "red"]}, {"mail": "email"})
    assert (role["groups_claim"], role["token_ttl"]) == ("groups", 1200)
    assert jwt.list_roles(path)["data"]["keys"] == ["dev"]
    good = {"iss": "https://idp.example", "sub": "ann", "aud": "arca", "team": "blue", "mail": "a@example.com"}
    held = client()
    auth = held.auth.jwt.jwt_login("dev", signer.sign(groups=["admins"], **good), path=path)["auth"]
    assert auth["metadata"] == {"role": "dev", "email": "a@example.com"} and auth["lease_duration"] == 1200
    told = held.auth.token.lookup_self()["data"]
    assert (told["display_name"], told["entity_id"]) == (f"{path}-ann", auth["entity_id"])
    entity = identity.read_entity(auth["entity_id"])["data"]
    assert (entity["aliases"][0]["name"], entity["aliases"][0]["metadata"]["email"]) == ("ann", "a@example.com")
    again = client().auth.jwt.jwt_login("dev", signer.sign(groups=[], **good), path=path)["auth"]
    assert again["entity_id"] == auth["entity_id"] and again["client_token"] != auth["client_token"]
    past = int(time.time()) - 3600
    for token in (
        stranger.sign(groups=[], **good),
        signer.sign(groups=[], **{**good, "aud": "other"}),
        signer.sign(groups=[], **{**good, "team": "green"}),
        signer.sign(groups=[], **{**good, "iss": "https://else.example"}),
        signer.sign(groups=[], **{**good, "exp": past, "iat": past - 60}),
        signer.sign(groups=[], **{**good, "nbf": int(time.time()) + 3600}),
        signer.sign(groups=[], **{key: value for key, value in good.items() if key != "sub"}),
        f'{encoded({"alg": "none"})}.{encoded({"sub": "ann", "aud": "arca", "team": "blue"})}.',
        "nonsense",
    ):
        refused(exceptions.InvalidRequest, client().auth.jwt.jwt_login, "dev", token, path=path)
    refused(exceptions.InvalidRequest, client().auth.jwt.jwt_login, "other", signer.sign(groups=[], **good), path=path)
    jwt.delete_role("dev", path)
    refused(exceptions.InvalidRequest, client().auth.jwt.jwt_login, "dev", signer.sign(groups=[], **good), path=path)
    root.sys.disable_auth_method(path)
    eventually(lambda: not held.is_authenticated())


@suite.test
def the_groups_of_an_identity_provider():
    path, accessor = mounted("jwt")
    signer, name, policy = Signer(), unique("external"), unique("admins")
    root.sys.create_or_update_policy(policy, 'path "sys/mounts" { capabilities = ["read"] }')
    root.auth.jwt.configure(jwt_validation_pubkeys=[signer.pem()], path=path)
    root.auth.jwt.create_role("dev", "sub", [], bound_subject="ann", groups_claim="groups", path=path)
    group = identity.create_or_update_group(name, group_type="external", policies=[policy])["data"]["id"]
    alias = identity.create_or_update_group_alias("admins", mount_accessor=accessor, canonical_id=group)["data"]["id"]
    read = identity.read_group_alias(alias)["data"]
    assert (read["name"], read["canonical_id"], read["mount_accessor"]) == ("admins", group, accessor)
    assert alias in identity.list_group_aliases()["data"]["keys"]
    found = identity.lookup_group(alias_name="admins", alias_mount_accessor=accessor)["data"]
    assert (found["id"], found["alias"]["id"], found["type"]) == (group, alias, "external")
    assert identity.lookup_group(alias_id=alias)["data"]["id"] == group
    held = client()
    auth = held.auth.jwt.jwt_login("dev", signer.sign(sub="ann", groups=["admins", "others"]), path=path)["auth"]
    assert auth["identity_policies"] == [policy] and held.sys.list_mounted_secrets_engines()["data"]["sys/"]
    assert identity.read_group(group)["data"]["member_entity_ids"] == [auth["entity_id"]]
    # Who may no longer do something says the provider, at the next login.
    auth = held.auth.jwt.jwt_login("dev", signer.sign(sub="ann", groups=["others"]), path=path)["auth"]
    assert not auth.get("identity_policies") and auth["policies"] == ["default"]
    refused(exceptions.Forbidden, held.sys.list_mounted_secrets_engines)
    refused(exceptions.InvalidRequest, client().auth.jwt.jwt_login, "dev", signer.sign(sub="bob", groups=[]), path=path)
    renamed = unique("admins")
    identity.update_group_alias(alias, renamed, mount_accessor=accessor, canonical_id=group)
    assert identity.read_group_alias(alias)["data"]["name"] == renamed
    identity.delete_group_alias(alias)
    refused(exceptions.InvalidPath, identity.read_group_alias, alias)
    identity.delete_group(group)
    root.sys.disable_auth_method(path)
    root.sys.delete_policy(policy)
