// Starts "holdfast up" in a directory of its own, runs the tests against it, and stops it again. The binary is bin/holdfast of
// this clone, or the one that HOLDFAST_TEST_BINARY names. Arguments are test files in place of all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const binary = process.env.HOLDFAST_TEST_BINARY || join(here, '..', '..', 'bin', 'holdfast');
const startLimit = 120_000;
const stopLimit = 60_000;

// PostgreSQL runs as another user where the tests run as root: it must be able to pass through.
const dir = mkdtempSync(join(tmpdir(), 'holdfast-js-'));
chmodSync(dir, 0o711);
const data = join(dir, 'data');
const log = join(dir, 'holdfast.log');

// environment is this process's, without what would lead holdfast to the servers of someone else.
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|TEMPORAL_|HOLDFAST_)/.test(name)));
}

// freeAddress is below the ports that systems give to outgoing connections, one of which might be taken before it is listened on.
async function freeAddress() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return `127.0.0.1:${port}`;
  }
  throw new Error('no free port was found');
}

// ready waits until this very process has announced itself.
async function ready(holdfast, ended) {
  const limit = Date.now() + startLimit;
  while (Date.now() < limit) {
    try {
      if (JSON.parse(readFileSync(join(data, 'instance.json'), 'utf8')).pid === holdfast.pid) return;
    } catch {
      // not written yet
    }
    if ((await Promise.race([ended, pause(50, 'waiting')])) !== 'waiting') throw new Error('holdfast up ended');
  }
  throw new Error('holdfast up was not ready in time');
}

function showLog() {
  const text = readFileSync(log, 'utf8');
  console.error(`the log of holdfast up ends with:\n${text.slice(-4096)}`);
}

async function main() {
  const holdfast = spawn(binary, [
    'up', '--data', data, '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--ui-listen', '',
    '--temporal-listen', await freeAddress(), '--log-format', 'json',
  ], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const output = createWriteStream(log);
  holdfast.stdout.pipe(output, { end: false });
  holdfast.stderr.pipe(output, { end: false });
  const ended = new Promise((resolve) => {
    holdfast.once('exit', (code, signal) => resolve(signal ?? code));
    holdfast.once('error', (error) => resolve(error.message));
  });
  let tests;
  // Told to stop, we stop what we started, and no more.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => tests?.kill(signal) ?? holdfast.kill('SIGTERM'));
  let code = 1;
  try {
    await ready(holdfast, ended);
    const files = process.argv.slice(2);
    if (files.length === 0) files.push(...readdirSync(join(here, 'tests')).filter((name) => name.endsWith('.test.mjs')).map((name) => join(here, 'tests', name)));
    // One file after the other: the faults of one must not meet the calls of another.
    tests = spawn(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files], {
      env: { ...environment(), HOLDFAST_TEST_DATA: data }, stdio: 'inherit',
    });
    [code] = await once(tests, 'exit');
    code ??= 1;
  } catch (error) {
    console.error(error.message);
  }
  holdfast.kill('SIGTERM');
  const how = await Promise.race([ended, pause(stopLimit, 'late', { ref: false })]);
  if (how !== 0) {
    console.error(how === 'late' ? `holdfast up had not ended after ${stopLimit / 1000} s` : `holdfast up ended with ${how}`);
    if (how === 'late') {
      holdfast.kill('SIGKILL');
      await ended;
    }
    code ||= 1;
  }
  if (code !== 0) showLog();
  output.destroy();
  rmSync(dir, { recursive: true, force: true });
  return code;
}

process.exitCode = await main();
