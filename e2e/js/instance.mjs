// The holdfast that run.mjs has started: where it serves, the tokens for it, and its simulated providers. It serves the built-in
// demo configuration: routes "demo" (OpenAI, then Anthropic, then Gemini), "gpt-4.1", "claude-sonnet-4-5", "gemini-2.5-flash", …
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const data = process.env.HOLDFAST_TEST_DATA;
if (!data) throw new Error('there is no holdfast to test: run "npm test"');
const read = (name) => readFileSync(join(data, name), 'utf8').trim();
const instance = JSON.parse(read('instance.json'));

// baseURL is OpenAI's dialect, token a client's.
export const baseURL = `${instance.api}/v1`;
export const token = read('token');

// admin is the admin API; the simulated providers are behind it.
export const admin = { url: instance.admin_api, token: read('admin-token') };

async function simulator(method, path, body) {
  const response = await fetch(`${admin.url}/admin/simulator${path}`, {
    method, headers: { Authorization: `Bearer ${admin.token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

// fault makes the vendor misbehave: { status: 503, count: 1 }, { stream: { kind: 'cut', after: 2 } }, …
export const fault = (vendor, what) => simulator('POST', `/faults/${vendor}`, what);

// clearFaults ends all faults.
export const clearFaults = () => simulator('DELETE', '/faults');

// calls are what reached the vendor so far, oldest first.
export const calls = async (vendor) => (await simulator('GET', `/calls/${vendor}`)).calls;
