// An OpenID provider for one test: `node provider.mjs NODE_MODULES` listens on a port that the system chooses and writes
// the issuer as its first line. Whoever comes is logged in as `ann`. `POST /rotate` gives it a new key and takes the old
// one back.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(join(process.argv[2], 'oidc-provider/lib/index.js')));

const ACCOUNT = { sub: 'ann', email: 'ann@example.com', name: 'Ann', groups: ['engineering', 'on-call'] };

let provider;
let handle;

function begin(issuer, algorithm) {
  const options = algorithm === 'RS256' ? ['rsa', { modulusLength: 2048 }] : ['ec', { namedCurve: 'P-256' }];
  const key = generateKeyPairSync(...options).privateKey.export({ format: 'jwk' });
  provider = new Provider(issuer, {
    clients: [{
      client_id: 'arca',
      client_secret: 'a secret of the client',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:8250/oidc/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: algorithm,
    }],
    jwks: { keys: [{ ...key, kid: randomUUID(), use: 'sig', alg: algorithm }] },
    claims: { openid: ['sub'], email: ['email'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    cookies: { keys: ['of no value'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: () => ({ accountId: ACCOUNT.sub, claims: async () => ACCOUNT }),
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile groups');
      await grant.save();
      return grant;
    },
  });
  handle = provider.callback();
}

const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/rotate') {
    begin(provider.issuer, 'ES256');
    response.end();
  } else if (request.url.startsWith('/interaction/')) {
    const { prompt } = await provider.interactionDetails(request, response);
    const result = prompt.name === 'login' ? { login: { accountId: ACCOUNT.sub } } : { consent: {} };
    await provider.interactionFinished(request, response, result);
  } else {
    handle(request, response);
  }
});

server.listen(0, '127.0.0.1', () => {
  begin(`http://127.0.0.1:${server.address().port}`, 'RS256');
  process.stdout.write(`${provider.issuer}\n`);
});
