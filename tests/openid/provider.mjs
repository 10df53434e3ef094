// A real identity provider for the tests: panva's certified oidc-provider, in a process of its own.
// node provider.mjs FOLDER CONFIGURATION: where its packages are installed, and a file that says the rest.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const { port, issuer, keys, clients, claims } = JSON.parse(readFileSync(file, "utf8"));
const found = createRequire(pathToFileURL(join(folder, "package.json"))).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(found));

const provider = new Provider(issuer, {
  clients,
  jwks: { keys },
  // Whoever signs in is called as they typed; what more is told of them stands in the file.
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims[id] }) }),
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "HS256"] },
  pkce: { required: () => true },
  cookies: { keys: ["of the tests"] },
});
provider.listen(port, "127.0.0.1", () => console.log("listening"));
