// What every browser test stands on: a server of its own, a real Chromium, and pages that forgive no error.
//
//   import { test } from 'node:test';
//   import { useShop } from './harness.mjs';
//
//   const shop = useShop();
//   test('the shop opens', () => shop.page({ size: 'phone' }, async (page) => {
//     await page.goto('/');
//     await shop.accessible(page);
//     await shop.screenshot(page, 'home-phone');
//   }));
//
// A page fails its test on any console error, uncaught error, or same-origin request that fails; a test that provokes
// one says so: `{ allowStatus: [503] }`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN_DIR = process.env.FEAST_BIN_DIR ?? join(ROOT, 'target/release');
const CHROMIUM = process.env.FEAST_CHROMIUM ?? '/usr/bin/chromium';
const SCREENSHOTS = join(ROOT, 'target/screenshots');
/** Letters may be higher than their line, and a badge may stand on a corner. */
const SPILL_SLACK_PX = 12;
const TOKEN = 'operator-token-of-the-browser-tests';

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 15_000;
/** How long a slow machine takes for as much load as a test compares with. */
const LOAD_DEADLINE_MS = 60_000;
const POLL_MS = 20;
/** How long Playwright waits for an element or a navigation. */
const ACTION_DEADLINE_MS = 10_000;

const SIZES = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1366, height: 768 },
};

const CHROMIUM_ARGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Settings of the caller's shell that would change what is tested. */
const NOT_INHERITED = /^(FEAST_|OTEL_|OIDC_)|_URL$|^(SITE_ADDR|LISTEN_ADDR|DATA_DIR|SEED|ROLE|OPERATOR_TOKEN|INTERNAL_TOKEN|RATE_LIMIT|TRUSTED_PROXIES|FLAGS_SOURCE|FLAGS_SYNC_ADDR)$/;

/** Asks again and again until `check` gives something true, and gives that; after the deadline it is an error. */
export async function until(what, check, deadlineMs = ACTION_DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(POLL_MS);
  }
}

/** A port nobody listens on. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/**
 * Starts a program of the release folder and waits until it is ready.
 *
 * `env` adds settings or replaces them; `port` and `dataDir` may be those of an earlier start. A folder made here is
 * removed when it stops, a folder handed in is kept.
 */
export async function startServer({ program = 'server', env = {}, port, dataDir } = {}) {
  port ??= await freePort();
  const ownDataDir = dataDir === undefined;
  dataDir ??= await mkdtemp(join(tmpdir(), 'feast-flow-e2e-'));
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)));
  const address = `127.0.0.1:${port}`;
  const child = spawn(join(BIN_DIR, program), [], {
    cwd: dataDir,
    env: { ...inherited, SITE_ADDR: address, DATA_DIR: dataDir, OPERATOR_TOKEN: TOKEN, SEED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = new Server(child, { url: `http://${address}`, port, dataDir, ownDataDir });
  try {
    await until(
      `${program} is ready`,
      async () => {
        if (server.ended) throw new Error(`${program} ended before it was ready (${server.ended})`);
        try {
          const reply = await fetch(`${server.url}/ready`, { signal: AbortSignal.timeout(1_000) });
          await reply.arrayBuffer();
          return reply.ok;
        } catch {
          return false;
        }
      },
      READY_DEADLINE_MS,
    );
  } catch (error) {
    await server.kill();
    await server.removeData();
    error.message += `\n${server.log()}`;
    throw error;
  }
  return server;
}

class Server {
  #child;
  #output = [];
  #ownDataDir;

  constructor(child, { url, port, dataDir, ownDataDir }) {
    this.#child = child;
    this.#ownDataDir = ownDataDir;
    this.url = url;
    this.port = port;
    this.dataDir = dataDir;
    this.token = TOKEN;
    /** How it ended, once it has. */
    this.ended = undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => this.#output.push(text));
    }
    child.on('error', (error) => (this.ended = error.message));
    child.on('exit', (code, signal) => (this.ended = signal ?? `exit code ${code}`));
    running.add(child);
    child.on('close', () => running.delete(child));
  }

  get pid() {
    return this.#child.pid;
  }

  /** The end of what it printed. */
  log(lines = 60) {
    return this.#output.join('').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Asks it to stop and waits; one that does not stop in time is killed, and that is an error. */
  async stop() {
    this.#child.kill('SIGTERM');
    try {
      await until('the server stops', () => this.ended, STOP_DEADLINE_MS);
    } finally {
      await this.kill();
      await this.removeData();
    }
  }

  /** Ends it at once, as a crash would; its data stays. */
  async kill() {
    this.#child.kill('SIGKILL');
    await until('the server is gone', () => this.ended, STOP_DEADLINE_MS);
  }

  async removeData() {
    if (this.#ownDataDir) await rm(this.dataDir, { recursive: true, force: true });
  }

  /** A call as the operator; gives status and body (JSON where it is JSON). */
  async operator(method, path, body) {
    const reply = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(ACTION_DEADLINE_MS),
    });
    const text = await reply.text();
    const json = reply.headers.get('content-type')?.includes('json');
    return { status: reply.status, body: json && text ? JSON.parse(text) : text };
  }

  /** Turns a flag to a variant for everybody. */
  async setFlag(key, variant, ttlSeconds = 60) {
    const { status, body } = await this.operator('PUT', `/api/flags/${key}`, { variant, ttlSeconds });
    assert.ok(status < 300, `flag ${key} to ${variant}: ${status} ${JSON.stringify(body)}`);
  }

  /** Ends every fault. */
  async clearFlags() {
    const { status, body } = await this.operator('DELETE', '/api/flags');
    assert.ok(status < 300, `clear flags: ${status} ${JSON.stringify(body)}`);
  }
}

/**
 * Starts a load generator that follows the server, asks for `users` customers, and waits until they have made `requests`: enough to compare
 * with what comes.
 * `stop` of what it gives asks for nobody again and ends it.
 */
export async function startLoad(server, { users = 30, pace = 10, requests = 2_000 } = {}) {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)));
  const child = spawn(join(BIN_DIR, 'loadgen'), ['--agent', '--host', server.url], {
    env: { ...inherited, OPERATOR_TOKEN: TOKEN },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = [];
  let ended;
  child.stderr.setEncoding('utf8').on('data', (text) => output.push(text));
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended = signal ?? `exit code ${code}`));
  running.add(child);
  child.on('close', () => running.delete(child));
  const want = async (wanted) => {
    const { status, body } = await server.operator('PUT', '/api/load', wanted);
    assert.ok(status < 300, `load of ${wanted.users}: ${status} ${JSON.stringify(body)}`);
  };
  await want({ users, pace });
  await until(
    'customers are busy',
    async () => {
      assert.equal(ended, undefined, `the load generator ended:\n${output.join('')}`);
      const { body } = await server.operator('GET', '/api/load');
      return body.agents.some((agent) => agent.users === users && agent.requests >= requests);
    },
    LOAD_DEADLINE_MS,
  );
  return {
    async stop() {
      await want({ users: 0, pace: 1 });
      child.kill('SIGTERM');
      await until('the load generator ends', () => ended, STOP_DEADLINE_MS);
    },
  };
}

/** Children that must not outlive the tests. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** A server and a Chromium, together. `options` are those of `startServer`. */
export async function startShop(options = {}) {
  const server = await startServer(options);
  try {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: CHROMIUM_ARGS,
      timeout: READY_DEADLINE_MS,
    });
    return new Shop(server, browser);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A shop that lives as long as the tests of the file: call it once, at the top. `prepare` sees it before the first test. */
export function useShop(options = {}, prepare = async () => {}) {
  const shop = Object.create(Shop.prototype);
  before(async () => {
    Object.assign(shop, await startShop(options));
    await prepare(shop);
  });
  after(async () => void (await shop.stop()));
  return shop;
}

class Shop {
  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
  }

  get url() {
    return this.server.url;
  }

  /**
   * Runs `visit` with a page in a fresh context and fails on whatever went wrong in the page.
   *
   * `size` phone or laptop (or `{width, height}`), `theme` light or dark, `javaScript` false for a browser without,
   * `allowStatus` statuses from 400 up that the test provokes. Paths in `page.goto` are relative to the server.
   */
  async page({ size = 'laptop', theme = 'light', javaScript = true, allowStatus = [] } = {}, visit) {
    const context = await this.browser.newContext({
      baseURL: this.url,
      viewport: SIZES[size] ?? size,
      colorScheme: theme,
      javaScriptEnabled: javaScript,
      hasTouch: size === 'phone',
      // Contrast and pictures are judged when nothing moves.
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    context.setDefaultTimeout(ACTION_DEADLINE_MS);
    try {
      const page = await context.newPage();
      const problems = watch(page, this.url, allowStatus);
      const result = await visit(page);
      assert.deepEqual(problems, [], `the page had errors:\n${problems.join('\n')}`);
      return result;
    } finally {
      await context.close();
    }
  }

  /** What axe-core finds wrong with the page as it is, one entry a rule. */
  async axe(page) {
    // Evaluated rather than added as a script, which the content security policy forbids.
    await page.evaluate(await axeSource());
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
  }

  /** Fails if axe-core finds anything. In a browser without scripts axe-core would wait for its own timers for ever. */
  async accessible(page) {
    const violations = await this.axe(page);
    assert.deepEqual(violations, [], `${page.url()} is not accessible:\n${JSON.stringify(violations, null, 2)}`);
  }

  /** Fails if the page is wider than its window, or if something hangs out of its box at the bottom and lies on whatever comes next. */
  async fits(page) {
    const [wider, spilled] = await page.evaluate((slack) => {
      const flows = ({ position, display }) => ['static', 'relative'].includes(position) && !['none', 'contents', 'inline'].includes(display);
      // Decorations may; they are no elements, or out of the flow.
      const hangsOut = (element) => {
        const box = element.parentElement;
        const isSeen = element instanceof HTMLElement && element.checkVisibility() && element.clientHeight > 0 && box.clientHeight > 0;
        if (!isSeen || !flows(getComputedStyle(element)) || getComputedStyle(box).overflowY !== 'visible') return false;
        return element.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom > slack;
      };
      const name = ({ tagName, id, className }) => `${tagName.toLowerCase()}#${id}.${className}`;
      const told = (element) => `${name(element)} of ${name(element.parentElement)}`;
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth - clientWidth, [...document.querySelectorAll('main *')].filter(hangsOut).map(told)];
    }, SPILL_SLACK_PX);
    assert.ok(wider <= 0, `${page.url()} is ${wider} px wider than its window`);
    assert.deepEqual(spilled, [], `${page.url()}: something is higher than its box`);
  }

  /** Keeps a picture of the page as `target/screenshots/NAME.png`: the whole of it, or what its window shows of a long one. */
  async screenshot(page, name, { whole = true } = {}) {
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: resolve(SCREENSHOTS, `${name}.png`), fullPage: whole });
  }

  /** Stops browser and server; the rest is stopped even if one of them fails to. */
  async stop() {
    const stopped = await Promise.allSettled([this.browser?.close(), this.server?.stop()]);
    const failure = stopped.find(({ status }) => status === 'rejected');
    if (failure) throw failure.reason;
  }
}

/** Collects what goes wrong in a page, as sentences. */
function watch(page, origin, allowStatus) {
  const problems = [];
  const allowed = (status) => allowStatus.includes(status);
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const status = /the server responded with a status of (\d{3})/.exec(message.text())?.[1];
    if (status && allowed(Number(status))) return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('crash', () => problems.push('the page crashed'));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'unknown reason';
    // Leaving a page ends what it was still loading, live events above all.
    if (reason === 'net::ERR_ABORTED' || !request.url().startsWith(origin)) return;
    problems.push(`request: ${request.method()} ${request.url()} failed (${reason})`);
  });
  page.on('response', (response) => {
    if (response.status() < 400 || allowed(response.status()) || !response.url().startsWith(origin)) return;
    problems.push(`response: ${response.request().method()} ${response.url()} was ${response.status()}`);
  });
  return problems;
}

let axeText;
function axeSource() {
  axeText ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return axeText;
}
