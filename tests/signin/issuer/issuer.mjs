// An OpenID Connect issuer on loopback. node issuer.mjs SETTINGS.json; prints "ready" when it listens.
// Its own interaction pages (any login, any password) are those of oidc-provider's development mode.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const { port, audience, redirect, secret, keys, verified, claims } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const issuer = `http://127.0.0.1:${port}`;
const web = { client_id: "hub", redirect_uris: [redirect], grant_types: ["authorization_code"], response_types: ["code"] };
const provider = new Provider(issuer, {
  jwks: { keys },
  clients: [
    {
      client_id: "solo-unicorn-cli",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
    },
    secret
      ? { ...web, client_secret: secret, token_endpoint_auth_method: "client_secret_basic" }
      : { ...web, token_endpoint_auth_method: "none" },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  pkce: { required: () => true },
  features: {
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, wanted) => {
        if (wanted !== audience) throw new Error(`unknown resource ${wanted}`);
        return { scope: "", audience, accessTokenFormat: "jwt", accessTokenTTL: 600, jwt: { sign: { alg: "RS256" } } };
      },
    },
  },
  extraTokenClaims: (ctx, token) =>
    claims ? { email: `${token.accountId}@example.org`, email_verified: verified, name: token.accountId } : {},
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: verified, name: id }),
  }),
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
