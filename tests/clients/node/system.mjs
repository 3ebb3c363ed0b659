// What operators set up, with the client node-vault: tuning, tools, password policies, quotas, namespaces, wrapping.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import vault from "node-vault";

import { client, endpoint, refused, root, tls, unique } from "./site.mjs";

test("health, and what it says of audit devices", async () => {
  const health = await root.health();
  const enabled = Object.keys((await root.audits()).data).length;
  assert.deepEqual(health.audit, { enabled, failing: 0 });
  assert.deepEqual([health.replication_performance_mode, health.replication_dr_mode], ["disabled", "disabled"]);
  const status = await root.status();
  assert.deepEqual([health.version, health.cluster_id], [status.version, status.cluster_id]);
});

test("mounts are tuned", async () => {
  const mount_point = unique("kv");
  await root.mount({ mount_point, type: "kv", options: { version: "2" } });
  await root.write(`sys/mounts/${mount_point}/tune`, { default_lease_ttl: "1h", max_lease_ttl: 7200, description: "tuned" });
  const { data } = await root.read(`sys/mounts/${mount_point}/tune`);
  assert.deepEqual([data.default_lease_ttl, data.max_lease_ttl, data.description], [3600, 7200, "tuned"]);
  assert.deepEqual(data.options, { version: "2" });
  await refused(root.write(`sys/mounts/${mount_point}/tune`, { default_lease_ttl: "3h" }), 400);
  await root.unmount({ mount_point });
});

test("random bytes and hashes", async () => {
  const random = (await root.write("sys/tools/random/24", {})).data.random_bytes;
  assert.equal(Buffer.from(random, "base64").length, 24);
  const hex = (await root.write("sys/tools/random", { bytes: 8, format: "hex" })).data.random_bytes;
  assert.match(hex, /^[0-9a-f]{16}$/);
  const input = Buffer.from("of the suite").toString("base64");
  for (const [name, digest] of [["sha2-256", "sha256"], ["sha2-384", "sha384"], ["sha3-512", "sha3-512"]]) {
    const { sum } = (await root.write(`sys/tools/hash/${name}`, { input })).data;
    assert.equal(sum, createHash(digest).update("of the suite").digest("hex"));
  }
  await refused(root.write("sys/tools/hash/md4", { input }), 400);
});

test("password policies", async () => {
  const path = `sys/policies/password/${unique("letters")}`;
  const policy = 'length = 20\nrule "charset" {\n  charset = "ab"\n}\nrule "charset" {\n  charset = "01"\n  min-chars = 2\n}\n';
  await root.write(path, { policy });
  assert.equal((await root.read(path)).data.policy, policy);
  const first = (await root.read(`${path}/generate`)).data.password;
  assert.match(first, /^[ab01]{20}$/);
  assert.ok(first.replace(/[ab]/g, "").length >= 2);
  assert.notEqual((await root.read(`${path}/generate`)).data.password, first);
  await root.delete(path);
  await refused(root.read(path), 404);
});

test("quotas are kept", async () => {
  const [mount, name] = [unique("kv"), unique("quota")];
  await root.mount({ mount_point: mount, type: "kv" });
  await root.write(`sys/quotas/rate-limit/${name}`, { rate: 2, interval: "30s", path: `${mount}/` });
  const { data } = await root.read(`sys/quotas/rate-limit/${name}`);
  assert.deepEqual([data.rate, data.interval, data.path], [2, 30, `${mount}/`]);
  assert.ok((await root.list("sys/quotas/rate-limit")).data.keys.includes(name));
  await root.write(`${mount}/a`, { x: 1 });
  await root.write(`${mount}/a`, { x: 2 });
  await refused(root.write(`${mount}/a`, { x: 3 }), 429, "rate limit quota exceeded");
  await root.delete(`sys/quotas/rate-limit/${name}`);
  assert.deepEqual((await root.read(`${mount}/a`)).data, { x: 2 });
  await root.unmount({ mount_point: mount });
});

test("namespaces are worlds of their own", async () => {
  const [namespace, policy] = [unique("team"), unique("reader")];
  await root.write(`sys/namespaces/${namespace}`, {});
  assert.ok((await root.list("sys/namespaces")).data.keys.includes(`${namespace}/`));
  const within = (token) => vault({ endpoint, token, namespace, requestOptions: tls });
  const there = within(root.token);
  await there.mount({ mount_point: "secret", type: "kv" });
  await there.write("secret/a", { x: 1 });
  assert.deepEqual((await root.read(`${namespace}/secret/a`)).data, { x: 1 });
  await refused(root.read("secret/a"), 404);
  await there.addPolicy({ name: policy, rules: 'path "secret/*" { capabilities = ["read"] }' });
  assert.ok(!(await root.policies()).policies.includes(policy));
  const { auth } = await within(root.token).tokenCreate({ policies: [policy], ttl: "5m" });
  const held = within(auth.client_token);
  assert.deepEqual((await held.read("secret/a")).data, { x: 1 });
  await refused(client(auth.client_token).read("secret/a"), 403);
  await root.delete(`sys/namespaces/${namespace}`);
  let gone = false;
  for (let turn = 0; turn < 100 && !gone; turn += 1) gone = await held.read("secret/a").then(() => false, () => true);
  assert.ok(gone);
});

test("batch tokens", async () => {
  // The client's own call leaves the type out.
  const { auth } = await root.write("auth/token/create", { policies: ["default"], type: "batch", ttl: "5m" });
  assert.deepEqual([auth.token_type, auth.accessor, auth.renewable], ["batch", "", false]);
  const held = client(auth.client_token);
  const { data } = await held.tokenLookupSelf();
  assert.deepEqual([data.type, data.policies, data.orphan], ["batch", ["default"], false]);
  assert.ok(data.ttl > 0 && data.ttl <= 300);
  await refused(held.tokenRenewSelf({ increment: "5m" }), 400);
  await refused(held.tokenRevokeSelf(), 400);
});

test("wrapping by hand, and a wrapped secret of a role", async () => {
  const wrapped = (await root.write("sys/wrapping/wrap", { x: "1" }, { headers: { "X-Vault-Wrap-TTL": "2m" } })).wrap_info;
  assert.equal(wrapped.ttl, 120);
  const about = (await root.write("sys/wrapping/lookup", { token: wrapped.token })).data;
  assert.deepEqual([about.creation_ttl, about.creation_path], [120, "sys/wrapping/wrap"]);
  const again = (await root.write("sys/wrapping/rewrap", { token: wrapped.token })).wrap_info;
  await refused(root.unwrap({ token: wrapped.token }), 400, "wrapping token is not valid or does not exist");
  assert.deepEqual((await root.unwrap({ token: again.token })).data, { x: "1" });
  const mount_point = unique("approle");
  await root.enableAuth({ mount_point, type: "approle" });
  await root.addApproleRole({ mount_point, role_name: "web", token_policies: "default" });
  const { role_id } = (await root.getApproleRoleId({ mount_point, role_name: "web" })).data;
  const path = `auth/${mount_point}/role/web/secret-id`;
  const { wrap_info } = await root.write(path, {}, { headers: { "X-Vault-Wrap-TTL": "1m" } });
  assert.equal(wrap_info.creation_path, path);
  const { secret_id } = (await client(wrap_info.token).unwrap()).data;
  await refused(client(wrap_info.token).unwrap(), 400);
  const { auth } = await client().approleLogin({ mount_point, role_id, secret_id });
  assert.equal(auth.metadata.role_name, "web");
  await root.disableAuth({ mount_point });
});
