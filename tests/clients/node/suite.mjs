// The JavaScript client node-vault against a running server, by its own calls and with what it makes of the answers.
//
// Needs Node.js 18 or later and `npm ci` in this folder. How the server is named is said at the head of ../suite.py; it
// takes a new server, or one that was initialised before (ARCA_TOKEN). Run it with `npm test`. Who is behind a token is
// asked for in identity.mjs, and what operators set up in system.mjs; both run when the vault is unsealed.

import assert from "node:assert/strict";
import test from "node:test";

import vault from "node-vault";

import { authority, client, endpoint, postgres, refused, root, tls, unique } from "./site.mjs";

let shares = [];

test("initialising and unsealing", async (t) => {
  const anyone = client();
  if ((await anyone.initialized()).initialized) {
    if (!root.token) {
      console.error("the vault is initialised: ARCA_TOKEN must be a root token of it");
      process.exit(1);
    }
    return t.skip("the vault is initialised already");
  }
  assert.equal((await anyone.health()).initialized, false);
  assert.equal((await anyone.status()).sealed, true);
  const made = await anyone.init({ secret_shares: 3, secret_threshold: 2 });
  assert.equal(made.keys.length, 3);
  shares = made.keys_base64;
  root.token = made.root_token;
  await refused(anyone.init({ secret_shares: 1, secret_threshold: 1 }), 400, "Vault is already initialized");
  assert.equal((await anyone.unseal({ key: shares[0] })).progress, 1);
  assert.equal((await anyone.unseal({ reset: true })).progress, 0);
  await anyone.unseal({ key: shares[0] });
  assert.equal((await anyone.unseal({ key: made.keys[1] })).sealed, false);
  const status = await anyone.status();
  assert.deepEqual([status.sealed, status.t, status.n, status.progress], [false, 2, 3, 0]);
});

test("the state of the server", async () => {
  const health = await root.health();
  assert.deepEqual([health.initialized, health.sealed, health.standby], [true, false, false]);
  assert.equal(typeof health.server_time_utc, "number");
  assert.equal(typeof (await root.leader()).ha_enabled, "boolean");
  await root.rotate();
});

test("mounts", async () => {
  const [first, second] = [unique("first"), unique("second")];
  await root.mount({ mount_point: first, type: "kv", description: "of the suite" });
  const mounts = await root.mounts();
  assert.equal(mounts[`${first}/`].description, "of the suite");
  assert.equal(mounts.data[`${first}/`].type, "kv");
  await refused(root.mount({ mount_point: first, type: "kv" }), 400, "path is already in use");
  await refused(root.mount({ mount_point: second, type: "nonsense" }), 400);
  await root.write(`${first}/a`, { x: "1" });
  await root.remount({ from: first, to: second });
  let moved = false;
  for (let turn = 0; turn < 100 && !moved; turn += 1) {
    moved = await root.read(`${second}/a`).then(() => true, () => false);
  }
  assert.ok(moved);
  await root.unmount({ mount_point: second });
  await refused(root.read(`${second}/a`), 404);
});

test("the key-value engine, version 1", async () => {
  const mount = unique("one");
  await root.mount({ mount_point: mount, type: "kv", options: { version: "1" } });
  assert.equal(await root.write(`${mount}/app/db`, { user: "app", port: 5432, tags: ["a", "b"] }), "");
  const read = await root.read(`${mount}/app/db`);
  assert.deepEqual(read.data, { user: "app", port: 5432, tags: ["a", "b"] });
  assert.equal(typeof read.lease_duration, "number");
  assert.deepEqual((await root.list(`${mount}/app`)).data.keys, ["db"]);
  assert.deepEqual((await root.list(mount)).data.keys, ["app/"]);
  const plain = vault({ endpoint, token: root.token, requestOptions: tls, noCustomHTTPVerbs: true });
  assert.deepEqual((await plain.list(mount)).data.keys, ["app/"]);
  await root.delete(`${mount}/app/db`);
  await refused(root.read(`${mount}/app/db`), 404, "Status 404");
  await refused(root.list(mount), 404);
});

test("the key-value engine, version 2", async () => {
  const mount = unique("two");
  await root.mount({ mount_point: mount, type: "kv-v2" });
  assert.equal((await root.write(`${mount}/data/a`, { data: { x: 1 } })).data.version, 1);
  assert.equal((await root.write(`${mount}/data/a`, { data: { x: 2, y: 2 }, options: { cas: 1 } })).data.version, 2);
  await refused(root.write(`${mount}/data/a`, { data: {}, options: { cas: 1 } }), 400, "check-and-set");
  const patch = { "Content-Type": "application/merge-patch+json" };
  await root.update(`${mount}/data/a`, { data: { y: null, z: 3 } }, { headers: patch });
  assert.deepEqual((await root.read(`${mount}/data/a`)).data.data, { x: 2, z: 3 });
  assert.deepEqual((await root.read(`${mount}/data/a?version=1`)).data.data, { x: 1 });
  await root.delete(`${mount}/data/a`);
  await assert.rejects(root.read(`${mount}/data/a`), (error) => {
    const { data, metadata } = error.response.body.data;
    return error.response.statusCode === 404 && data === null && metadata.deletion_time !== "";
  });
  await root.write(`${mount}/undelete/a`, { versions: [3] });
  assert.equal((await root.read(`${mount}/data/a`)).data.metadata.version, 3);
  await root.destroySecretVersions({ mount_point: mount, path: "a", versions: [1] });
  const metadata = (await root.read(`${mount}/metadata/a`)).data;
  assert.deepEqual([metadata.current_version, metadata.versions[1].destroyed], [3, true]);
  assert.deepEqual((await root.list(`${mount}/metadata`)).data.keys, ["a"]);
  await root.delete(`${mount}/metadata/a`);
  await refused(root.read(`${mount}/metadata/a`), 404);
});

test("policies", async () => {
  const [mount, name] = [unique("kv"), unique("reader")];
  await root.mount({ mount_point: mount, type: "kv" });
  await root.write(`${mount}/a`, { x: 1 });
  const rules = `path "${mount}/*" { capabilities = ["read"] }`;
  await root.addPolicy({ name, rules });
  assert.equal((await root.getPolicy({ name })).rules, rules);
  assert.ok((await root.policies()).policies.includes(name));
  const { auth } = await client(root.token).tokenCreate({ policies: [name], ttl: "5m" });
  const reader = client(auth.client_token);
  assert.deepEqual((await reader.read(`${mount}/a`)).data, { x: 1 });
  await refused(reader.write(`${mount}/a`, { x: 2 }), 403, "permission denied");
  await refused(reader.mounts(), 403, "permission denied");
  const why = await root.write("sys/policies/explain", { token: auth.client_token, path: `${mount}/a`, operation: "update" });
  assert.deepEqual(why.data.missing, [{ kind: "capability", capability: "update" }]);
  await root.removePolicy({ name });
  await refused(root.getPolicy({ name }), 404);
  await refused(reader.read(`${mount}/a`), 403);
});

test("tokens", async () => {
  const maker = client(root.token);
  const { auth } = await maker.tokenCreate({ policies: ["default"], ttl: "10m", renewable: true, meta: { who: "suite" } });
  // The client takes the token that it made for its own.
  assert.equal(maker.token, auth.client_token);
  const own = (await maker.tokenLookupSelf()).data;
  assert.deepEqual([own.accessor, own.meta, own.policies], [auth.accessor, { who: "suite" }, ["default"]]);
  assert.ok((await maker.tokenRenewSelf({ increment: "20m" })).auth.lease_duration <= 1200);
  assert.equal((await root.tokenLookup({ token: auth.client_token })).data.id, auth.client_token);
  assert.equal((await root.tokenLookupAccessor({ accessor: auth.accessor })).data.id, "");
  assert.ok((await root.tokenAccessors()).data.keys.includes(auth.accessor));
  await client(root.token).tokenRenew({ token: auth.client_token, increment: "5m" });
  await root.tokenRevokeAccessor({ accessor: auth.accessor });
  await refused(maker.tokenLookupSelf(), 403);
  const orphan = await client(root.token).tokenCreateOrphan({ ttl: "5m" });
  assert.equal((await root.tokenLookup({ token: orphan.auth.client_token })).data.orphan, true);
  await client(orphan.auth.client_token).tokenRevokeSelf();
  await refused(root.tokenLookup({ token: orphan.auth.client_token }), 403);
  const parent = (await client(root.token).tokenCreate({ ttl: "5m" })).auth.client_token;
  const child = (await client(parent).tokenCreate({ ttl: "5m" })).auth.client_token;
  await root.tokenRevokeOrphan({ token: parent });
  assert.equal((await root.tokenLookup({ token: child })).data.orphan, true);
  await root.tokenRevoke({ token: child });
});

test("roles of tokens", async () => {
  const role_name = unique("role");
  await root.addTokenRole({ role_name, allowed_policies: "default", period: 3600 });
  assert.equal((await root.getTokenRole({ role_name })).data.token_period, 3600);
  assert.ok((await root.tokenRoles()).data.keys.includes(role_name));
  const { auth } = await client(root.token).tokenCreateRole({ role_name });
  assert.equal(auth.lease_duration, 3600);
  await root.removeTokenRole({ role_name });
  await refused(root.getTokenRole({ role_name }), 404);
});

test("userpass", async () => {
  const mount_point = unique("userpass");
  await root.enableAuth({ mount_point, type: "userpass", description: "of the suite" });
  assert.equal((await root.auths())[`${mount_point}/`].type, "userpass");
  await root.write(`auth/${mount_point}/users/bob`, { password: "hunter2", token_policies: ["default"] });
  const bob = client();
  const { auth } = await bob.userpassLogin({ mount_point, username: "bob", password: "hunter2" });
  assert.deepEqual([bob.token, auth.metadata.username], [auth.client_token, "bob"]);
  await bob.tokenLookupSelf();
  await refused(client().userpassLogin({ mount_point, username: "bob", password: "wrong" }), 400, "invalid username or password");
  await root.disableAuth({ mount_point });
  await refused(bob.tokenLookupSelf(), 403);
});

test("approle", async () => {
  const mount_point = unique("approle");
  const role = { mount_point, role_name: "web" };
  await root.enableAuth({ mount_point, type: "approle" });
  await root.addApproleRole({ ...role, policies: "default", token_ttl: 600 });
  assert.equal((await root.getApproleRole(role)).data.token_ttl, 600);
  assert.deepEqual((await root.approleRoles({ mount_point })).data.keys, ["web"]);
  await root.updateApproleRoleId({ ...role, role_id: "chosen" });
  const { role_id } = (await root.getApproleRoleId(role)).data;
  const { secret_id, secret_id_accessor } = (await root.getApproleRoleSecret({ ...role, metadata: '{"k": "v"}' })).data;
  assert.equal(role_id, "chosen");
  const { auth } = await client().approleLogin({ mount_point, role_id, secret_id });
  assert.equal(auth.lease_duration, 600);
  assert.deepEqual((await root.approleSecretAccessors(role)).data.keys, [secret_id_accessor]);
  assert.deepEqual((await root.approleSecretLookup({ ...role, secret_id })).data.metadata, { k: "v" });
  assert.equal((await root.approleSecretAccessorLookup({ ...role, secret_id_accessor })).data.secret_id_accessor, secret_id_accessor);
  await root.approleSecretDestroy({ ...role, secret_id });
  await refused(client().approleLogin({ mount_point, role_id, secret_id }), 400, "invalid role or secret ID");
  await root.deleteApproleRole(role);
  await refused(root.getApproleRole(role), 404);
  await root.disableAuth({ mount_point });
});

test("certificates", async (t) => {
  if ((await root.auths())["cert/"]) return t.skip("there is a mount cert/ already, and the client knows no other");
  await root.enableAuth({ mount_point: "cert", type: "cert" });
  await root.write("auth/cert/certs/any", { certificate: authority, token_policies: "default" });
  const holder = client();
  const { auth } = await holder.certLogin();
  assert.ok(auth.policies.includes("default"));
  assert.equal(holder.token, auth.client_token);
  await root.disableAuth({ mount_point: "cert" });
});

test("wrapped answers", async () => {
  const mount = unique("kv");
  await root.mount({ mount_point: mount, type: "kv" });
  await root.write(`${mount}/a`, { x: "wrapped" });
  const wrapped = await root.read(`${mount}/a`, { headers: { "X-Vault-Wrap-TTL": "1m" } });
  assert.deepEqual([wrapped.wrap_info.ttl, wrapped.wrap_info.creation_path], [60, `${mount}/a`]);
  assert.deepEqual((await client(wrapped.wrap_info.token).unwrap()).data, { x: "wrapped" });
  await refused(client(wrapped.wrap_info.token).unwrap(), 400, "wrapping token is not valid or does not exist");
  const again = await root.read(`${mount}/a`, { headers: { "X-Vault-Wrap-TTL": "1m" } });
  assert.deepEqual((await root.unwrap({ token: again.wrap_info.token })).data, { x: "wrapped" });
});

test("database credentials and their leases", async (t) => {
  if (!postgres) return t.skip("ARCA_TEST_POSTGRES is not set");
  const url = new URL(postgres);
  const mount = unique("database");
  await root.mount({ mount_point: mount, type: "database" });
  await root.write(`${mount}/config/pg`, {
    plugin_name: "postgresql-database-plugin",
    connection_url: `postgresql://{{username}}:{{password}}@${url.host}${url.pathname}?sslmode=disable`,
    username: url.username,
    password: url.password,
    allowed_roles: ["*"],
  });
  await root.write(`${mount}/roles/app`, {
    db_name: "pg",
    creation_statements: ["CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"],
    default_ttl: "5m",
    max_ttl: "1h",
  });
  const made = await root.generateDatabaseCredentials({ databasePath: mount, name: "app" });
  assert.ok(made.lease_id.startsWith(`${mount}/creds/app/`) && made.renewable && made.data.password);
  const lease = (await root.write("sys/leases/lookup", { lease_id: made.lease_id })).data;
  assert.deepEqual([lease.id, lease.renewable], [made.lease_id, true]);
  assert.deepEqual((await root.list(`sys/leases/lookup/${mount}/creds/app`)).data.keys, [made.lease_id.split("/").pop()]);
  assert.equal((await root.renew({ lease_id: made.lease_id, increment: 600 })).lease_duration, 600);
  await root.revoke({ lease_id: made.lease_id });
  await refused(root.renew({ lease_id: made.lease_id }), 400, "lease not found");
  await root.generateDatabaseCredentials({ databasePath: mount, name: "app" });
  await root.write(`sys/leases/revoke-prefix/${mount}/creds`, {});
  await root.unmount({ mount_point: mount });
});

test("audit devices are listed, and declared in the configuration only", async () => {
  const devices = await root.audits();
  assert.deepEqual(Object.keys(devices.data), Object.values(devices.data).map((device) => device.path));
  await refused(root.enableAudit({ name: unique("audit"), type: "file", options: { file_path: "discard" } }), 400, "declarative");
});

await import("./identity.mjs");
await import("./system.mjs");

test("a root token from the key shares", async (t) => {
  if (shares.length === 0) return t.skip("the vault was initialised by someone else: its key shares are not known");
  const started = await root.generateRootInit({});
  const first = await root.generateRootUpdate({ key: shares[0], nonce: started.nonce });
  assert.deepEqual([first.progress, first.complete], [1, false]);
  await root.generateRootCancel();
  const { nonce, otp } = await root.generateRootInit({});
  await root.generateRootUpdate({ key: shares[0], nonce });
  const { encoded_token } = await root.generateRootUpdate({ key: shares[1], nonce });
  const bytes = Buffer.from(encoded_token, "base64").map((byte, index) => byte ^ otp.charCodeAt(index));
  const made = client(bytes.toString());
  assert.deepEqual((await made.tokenLookupSelf()).data.policies, ["root"]);
  await made.tokenRevokeSelf();
});

test("sealing", async (t) => {
  if (shares.length === 0) return t.skip("the vault was initialised by someone else: its key shares are not known");
  await root.seal();
  assert.equal((await root.status()).sealed, true);
  await refused(root.mounts(), 503, "Vault is sealed");
  for (const key of shares.slice(0, 2)) await root.unseal({ key });
  await root.tokenLookupSelf();
});
