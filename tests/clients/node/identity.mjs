// Who is behind a token, with the client node-vault: entities, aliases, groups, templated policies, and logins with a JWT.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";

import { client, refused, root, unique } from "./site.mjs";

/** An identity provider's key, made here: its public half in PEM, and what signs a token that ends in five minutes. */
function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    pem: publicKey.export({ type: "spki", format: "pem" }),
    token(claims) {
      const now = Math.floor(Date.now() / 1000);
      const signed = `${part({ alg: "ES256", typ: "JWT" })}.${part({ iat: now, exp: now + 300, ...claims })}`;
      const key = { key: privateKey, dsaEncoding: "ieee-p1363" };
      return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
    },
  };
}

/** A new auth method of this type: its path, and its accessor. */
async function mounted(type) {
  const mount_point = unique(type);
  await root.enableAuth({ mount_point, type });
  return [mount_point, (await root.auths()).data[`${mount_point}/`].accessor];
}

/** The client of a user who has logged in, and what the login answered. */
async function user(mount_point, username) {
  await root.write(`auth/${mount_point}/users/${username}`, { password: "hunter2", token_policies: ["default"] });
  const held = client();
  const { auth } = await held.userpassLogin({ mount_point, username, password: "hunter2" });
  return [held, auth];
}

const made = async (path, fields) => (await root.write(`identity/${path}`, fields)).data;
const read = async (path) => (await root.read(`identity/${path}`)).data;

test("entities and their aliases", async () => {
  const [mount_point, mount_accessor] = await mounted("userpass");
  const [name, renamed] = [unique("entity"), unique("renamed")];
  const { id } = await made("entity", { name, metadata: { team: "blue" }, policies: ["default"] });
  assert.deepEqual((await read(`entity/id/${id}`)).metadata, { team: "blue" });
  await root.write(`identity/entity/id/${id}`, { name: renamed, metadata: { team: "red" } });
  const entity = await read(`entity/name/${renamed}`);
  assert.deepEqual([entity.id, entity.metadata, entity.policies], [id, { team: "red" }, ["default"]]);
  await refused(root.read(`identity/entity/name/${name}`), 404);
  assert.ok((await root.list("identity/entity/id")).data.keys.includes(id));
  assert.ok((await root.list("identity/entity/name")).data.keys.includes(renamed));
  const alias = await made("entity-alias", { name: "bob", canonical_id: id, mount_accessor, custom_metadata: { a: "b" } });
  assert.equal(alias.canonical_id, id);
  assert.deepEqual((await read(`entity-alias/id/${alias.id}`)).custom_metadata, { a: "b" });
  assert.equal((await root.list("identity/entity-alias/id")).data.key_info[alias.id].name, "bob");
  const asked = [{ id }, { name: renamed }, { alias_id: alias.id }, { alias_name: "bob", alias_mount_accessor: mount_accessor }];
  for (const fields of asked) assert.equal((await made("lookup/entity", fields)).id, id);
  assert.equal(await root.write("identity/lookup/entity", { name: unique("none") }), "");
  const [held, auth] = await user(mount_point, "bob");
  assert.equal(auth.entity_id, id);
  assert.equal((await held.tokenLookupSelf()).data.entity_id, id);
  await root.delete(`identity/entity-alias/id/${alias.id}`);
  await refused(root.read(`identity/entity-alias/id/${alias.id}`), 404);
  assert.notEqual((await user(mount_point, "bob"))[1].entity_id, id);
  await root.delete(`identity/entity/id/${id}`);
  await refused(root.read(`identity/entity/id/${id}`), 404);
  await root.disableAuth({ mount_point });
});

test("entities become one, and are disabled", async () => {
  const [[first, firstAccessor], [second, secondAccessor]] = [await mounted("userpass"), await mounted("userpass")];
  const [[held, { entity_id: kept }], [, { entity_id: gone }]] = [await user(first, "bob"), await user(second, "bob")];
  assert.notEqual(kept, gone);
  await root.write("identity/entity/merge", { from_entity_ids: [gone], to_entity_id: kept });
  await refused(root.read(`identity/entity/id/${gone}`), 404);
  const { aliases, merged_entity_ids } = await read(`entity/id/${kept}`);
  assert.deepEqual(aliases.map((alias) => alias.mount_accessor).sort(), [firstAccessor, secondAccessor].sort());
  assert.deepEqual(merged_entity_ids, [gone]);
  assert.equal((await user(second, "bob"))[1].entity_id, kept);
  await root.write(`identity/entity/id/${kept}`, { disabled: true });
  await refused(held.tokenLookupSelf(), 403);
  await refused(client().userpassLogin({ mount_point: first, username: "bob", password: "hunter2" }), 403);
  await root.write(`identity/entity/id/${kept}`, { disabled: false });
  assert.equal((await held.tokenLookupSelf()).data.entity_id, kept);
  await root.disableAuth({ mount_point: first });
  await root.disableAuth({ mount_point: second });
});

test("groups and their members", async () => {
  const [mount_point] = await mounted("userpass");
  const [name, above, policy] = [unique("group"), unique("above"), unique("policy")];
  await root.addPolicy({ name: policy, rules: 'path "sys/mounts" { capabilities = ["read"] }' });
  const [held, { entity_id }] = await user(mount_point, "bob");
  await refused(held.mounts(), 403);
  const { id } = await made("group", { name, metadata: { team: "blue" }, member_entity_ids: [entity_id] });
  const outer = await made("group", { name: above, policies: [policy], member_group_ids: [id] });
  const group = await read(`group/id/${id}`);
  assert.deepEqual([group.name, group.type, group.metadata], [name, "internal", { team: "blue" }]);
  assert.deepEqual([group.member_entity_ids, group.parent_group_ids], [[entity_id], [outer.id]]);
  assert.equal((await held.mounts()).data["sys/"].type, "system");
  assert.deepEqual((await held.tokenLookupSelf()).data.identity_policies, [policy]);
  const entity = await read(`entity/id/${entity_id}`);
  assert.deepEqual([entity.direct_group_ids, entity.inherited_group_ids], [[id], [outer.id]]);
  assert.equal((await made("lookup/group", { name })).id, id);
  assert.equal((await made("lookup/group", { id })).name, name);
  assert.ok((await root.list("identity/group/id")).data.keys.includes(id));
  assert.ok((await root.list("identity/group/name")).data.keys.includes(name));
  await root.write(`identity/group/name/${name}`, { member_entity_ids: [] });
  await refused(held.mounts(), 403);
  await root.delete(`identity/group/name/${above}`);
  await root.delete(`identity/group/id/${id}`);
  await refused(root.read(`identity/group/id/${id}`), 404);
  await root.removePolicy({ name: policy });
  await root.disableAuth({ mount_point });
});

test("policies with places for whoever asks", async () => {
  const [mount_point, accessor] = await mounted("userpass");
  const [mount, name] = [unique("kv"), unique("own")];
  await root.mount({ mount_point: mount, type: "kv" });
  const own = `{{identity.entity.aliases.${accessor}.name}}`;
  const rules = `path "${mount}/${own}/{{identity.entity.metadata.team}}" { capabilities = ["create", "update", "read"] }`;
  await root.addPolicy({ name, rules });
  const [held, { entity_id }] = await user(mount_point, "bob");
  await root.write(`identity/entity/id/${entity_id}`, { metadata: { team: "blue" }, policies: [name] });
  await held.write(`${mount}/bob/blue`, { x: 1 });
  assert.deepEqual((await held.read(`${mount}/bob/blue`)).data, { x: 1 });
  await refused(held.read(`${mount}/bob/red`), 403);
  await refused(held.read(`${mount}/eve/blue`), 403);
  await root.write(`identity/entity/id/${entity_id}`, { metadata: { team: "red" } });
  await refused(held.read(`${mount}/bob/blue`), 403);
  await root.unmount({ mount_point: mount });
  await root.removePolicy({ name });
  await root.disableAuth({ mount_point });
});

test("logins with a JWT", async () => {
  const [mount] = await mounted("jwt");
  const [provider, stranger] = [signer(), signer()];
  await root.write(`auth/${mount}/config`, { jwt_validation_pubkeys: [provider.pem], bound_issuer: "https://idp.example" });
  const config = (await root.read(`auth/${mount}/config`)).data;
  assert.deepEqual([config.jwt_validation_pubkeys[0].trim(), config.bound_issuer], [provider.pem.trim(), "https://idp.example"]);
  await root.write(`auth/${mount}/role/dev`, {
    role_type: "jwt",
    user_claim: "sub",
    bound_audiences: ["arca"],
    bound_claims: { team: "blue" },
    claim_mappings: { mail: "email" },
    token_policies: ["default"],
    token_ttl: "20m",
  });
  const role = (await root.read(`auth/${mount}/role/dev`)).data;
  assert.deepEqual([role.user_claim, role.bound_claims, role.token_ttl], ["sub", { team: "blue" }, 1200]);
  assert.deepEqual((await root.list(`auth/${mount}/role`)).data.keys, ["dev"]);
  const good = { iss: "https://idp.example", sub: "ann", aud: "arca", team: "blue", mail: "a@example.com" };
  const login = (jwt, to = "dev") => client().write(`auth/${mount}/login`, { role: to, jwt });
  const { auth } = await login(provider.token(good));
  assert.deepEqual([auth.metadata, auth.lease_duration], [{ role: "dev", email: "a@example.com" }, 1200]);
  const held = client(auth.client_token);
  assert.equal((await held.tokenLookupSelf()).data.display_name, `${mount}-ann`);
  const alias = (await read(`entity/id/${auth.entity_id}`)).aliases[0];
  assert.deepEqual([alias.name, alias.mount_type, alias.metadata.email], ["ann", "jwt", "a@example.com"]);
  const { sub, ...nobody } = good;
  const past = Math.floor(Date.now() / 1000) - 3600;
  const tokens = [
    stranger.token(good),
    provider.token({ ...good, aud: "other" }),
    provider.token({ ...good, team: "red" }),
    provider.token({ ...good, iss: "https://else.example" }),
    provider.token({ ...good, iat: past - 60, exp: past }),
    provider.token(nobody),
    provider.token(good).replace(/\.[^.]*$/, "."),
    "nonsense",
  ];
  for (const token of tokens) await refused(login(token), 400);
  await refused(login(provider.token(good), "other"), 400);
  await root.delete(`auth/${mount}/role/dev`);
  await refused(login(provider.token(good)), 400);
  await root.disableAuth({ mount_point: mount });
  await refused(held.tokenLookupSelf(), 403);
});

test("the groups of an identity provider", async () => {
  const [mount, mount_accessor] = await mounted("jwt");
  const [provider, policy] = [signer(), unique("policy")];
  await root.addPolicy({ name: policy, rules: 'path "sys/mounts" { capabilities = ["read"] }' });
  await root.write(`auth/${mount}/config`, { jwt_validation_pubkeys: [provider.pem] });
  await root.write(`auth/${mount}/role/dev`, { role_type: "jwt", user_claim: "sub", bound_subject: "ann", groups_claim: "groups" });
  const group = await made("group", { name: unique("external"), type: "external", policies: [policy] });
  const alias = await made("group-alias", { name: "admins", canonical_id: group.id, mount_accessor });
  assert.deepEqual((await read(`group-alias/id/${alias.id}`)).canonical_id, group.id);
  assert.ok((await root.list("identity/group-alias/id")).data.keys.includes(alias.id));
  const asked = { alias_name: "admins", alias_mount_accessor: mount_accessor };
  assert.deepEqual((await made("lookup/group", asked)).id, group.id);
  const login = async (groups) =>
    (await client().write(`auth/${mount}/login`, { role: "dev", jwt: provider.token({ sub: "ann", groups }) })).auth;
  const admin = await login(["admins", "others"]);
  assert.deepEqual(admin.identity_policies, [policy]);
  assert.deepEqual((await read(`group/id/${group.id}`)).member_entity_ids, [admin.entity_id]);
  assert.equal((await client(admin.client_token).mounts()).data["sys/"].type, "system");
  const nobody = await login(["others"]);
  assert.equal(nobody.entity_id, admin.entity_id);
  await refused(client(nobody.client_token).mounts(), 403);
  await refused(client(admin.client_token).mounts(), 403);
  await root.delete(`identity/group-alias/id/${alias.id}`);
  await refused(root.read(`identity/group-alias/id/${alias.id}`), 404);
  await root.delete(`identity/group/id/${group.id}`);
  await root.removePolicy({ name: policy });
  await root.disableAuth({ mount_point: mount });
});
