// What the tests with the client node-vault share: the client of a root token, and what is refused.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import vault from "node-vault";

function wanted(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set; see the head of tests/clients/suite.py`);
    process.exit(1);
  }
  return value;
}

export const endpoint = wanted("ARCA_ADDR");
export const tls = {
  ca: readFileSync(wanted("ARCA_CACERT")),
  cert: readFileSync(wanted("ARCA_CLIENT_CERT")),
  key: readFileSync(wanted("ARCA_CLIENT_KEY")),
};
export const authority = readFileSync(process.env.ARCA_CLIENT_CA || wanted("ARCA_CACERT"), "utf8");
export const postgres = process.env.ARCA_TEST_POSTGRES;

export const client = (token) => vault({ endpoint, token, requestOptions: tls });
export const unique = (word) => `${word}-${randomBytes(4).toString("hex")}`;
export const root = client(process.env.ARCA_TOKEN);

/** That a call fails with this status, and with this in its message. */
export async function refused(call, status, text = "") {
  await assert.rejects(call, (error) => {
    assert.equal(error.response?.statusCode, status, error.message);
    assert.ok(error.message.includes(text), error.message);
    return true;
  });
}
