// The console in front of a very busy platform: 1 000 spans a second, then 10 000 for minutes, and what that does to the browser that shows
// them. `cargo xtask soak` runs it; docs/bench.md explains the numbers.
//
//   node e2e/soak.mjs [--minutes 5] [--out target/bench]
//
// The exit code is 1 when memory grows, when the page asks more than once at a time or while nobody looks, or when a page does not answer.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startShop, until } from './harness.mjs';
import { look, percentile, watch } from './measure.mjs';
import { startSpans } from './spans.mjs';
import { awake, open } from './steps.mjs';

const { values: args } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, out: { type: 'string', default: 'target/bench' } } });

const CALM = 1_000;
const STORM = 10_000;
const CALM_SECONDS = 60;
const STORM_SECONDS = Number(args.minutes) * 60;
const OTHERS_SECONDS = 20;
const SAMPLE_SECONDS = 30;
const HIDDEN_SECONDS = 10;
/** Charts fill and routes appear; from then on the page is as large as it gets. */
const WARM_UP_SECONDS = 60;
/** The last sample to the first after the warm-up: a tenth and a megabyte are the noise of what a collector leaves. */
const FLAT = 1.1;
const SPARE_BYTES = 1_000_000;

const OTHERS = ['traces?follow=1', 'map', 'logs?follow=1', 'flags'];

const rows = [];
const wrong = [];
const megabytes = (bytes) => (bytes / 1e6).toFixed(2);
const round = (value) => String(Math.round(value));

function row(what, spans, held, seen, seconds) {
  rows.push({ what, spansPerSecond: spans, seconds, ...held, ...seen });
  console.error(`    ${what}: ${held ? `${megabytes(held.heapBytes)} MB, ${held.nodes} nodes, ` : ''}${seen ? `${seen.refreshMs.length} refreshes` : ''}`);
  if (seen?.mostAtOnce > 1) wrong.push(`${what}: ${seen.mostAtOnce} refreshes at once`);
}

/** Looks every half minute for so long. */
async function over(what, seconds, spans, measured) {
  const held = [];
  const begin = performance.now();
  for (let at = 0; at < seconds; ) {
    const step = Math.min(SAMPLE_SECONDS, seconds - at);
    await measured.seen();
    await pause(step * 1_000);
    at += step;
    const seen = await measured.seen();
    held.push({ at, ...(await measured.held()) });
    row(`${what}, ${at} s`, spans, held.at(-1), seen, step);
    if (seen.refreshMs.length === 0) wrong.push(`${what}, ${at} s: the page was not refreshed`);
  }
  console.error(`    ${what}: ${round((performance.now() - begin) / 1_000)} s`);
  return held;
}

/** Whether what is held at the end is what was held after the warm-up. */
function judge(what, held) {
  const first = held.find((sample) => sample.at >= WARM_UP_SECONDS) ?? held[0];
  const last = held.at(-1);
  const grown = (name, spare) => last[name] > first[name] * FLAT + spare;
  for (const [name, spare] of [['heapBytes', SPARE_BYTES], ['nodes', 200], ['listeners', 5], ['documents', 2]]) {
    if (grown(name, spare)) wrong.push(`${what}: ${name} grew from ${first[name]} to ${last[name]}`);
  }
  return `${what}: heap ${megabytes(first.heapBytes)} MB after ${first.at} s and ${megabytes(last.heapBytes)} MB after ${last.at} s, nodes ${first.nodes} and ${last.nodes}, listeners ${first.listeners} and ${last.listeners}`;
}

/** Another tab in front: the page behind must be silent, and come back when it is looked at. */
async function hidden(page, measured) {
  await look(page, false);
  // What was asked before is answered still.
  await pause(2_000);
  const before = await measured.refreshes();
  await pause(HIDDEN_SECONDS * 1_000);
  const asked = (await measured.refreshes()) - before;
  if (asked > 0) wrong.push(`hidden: ${asked} refreshes in ${HIDDEN_SECONDS} s`);
  await look(page, true);
  await until('the page is refreshed again', async () => (await measured.refreshes()) > before + asked, 20_000);
  return `behind another tab: ${asked} refreshes in ${HIDDEN_SECONDS} s, and one at once when it was looked at`;
}

function table() {
  const head = ['what', 'spans/s', 'heap MB', 'nodes', 'listeners', 'refreshes', 'p50 ms', 'p95 ms', 'longest ms', 'cpu ms each', 'tasks > 50 ms', 'longest', 'gaps > 50 ms', 'longest'];
  const longest = (list) => round(Math.max(0, ...list));
  const cells = rows.map((each) => [
    each.what,
    each.spansPerSecond,
    megabytes(each.heapBytes),
    each.nodes,
    each.listeners,
    each.refreshMs.length,
    round(percentile(each.refreshMs, 50)),
    round(percentile(each.refreshMs, 95)),
    longest(each.refreshMs),
    round(each.threadMs / each.refreshMs.length),
    each.longTasksMs.length,
    longest(each.longTasksMs),
    each.gapsMs.length,
    longest(each.gapsMs),
  ]);
  const line = (each) => `| ${each.join(' | ')} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '---:'))), ...cells.map(line)].join('\n');
}

const notes = [];
async function phase(perSecond, shop, visit) {
  const spans = startSpans(shop.server, perSecond);
  try {
    await visit();
  } finally {
    const { sent, refused, seconds } = await spans.stop();
    notes.push(`${perSecond} spans a second were wanted: ${round(sent / seconds)} a second were sent for ${round(seconds)} s, ${refused} were refused by the receiver`);
  }
}

const shop = await startShop();
try {
  await shop.page({ size: { width: 1280, height: 800 } }, async (page) => {
    await open(page, `/console?token=${shop.server.token}`);
    await page.waitForURL(/\/console\/overview$/);
    await awake(page);
    console.error(`==> overview at ${CALM} spans a second`);
    await phase(CALM, shop, async () => {
      const measured = await watch(page);
      const held = await over('overview', CALM_SECONDS, CALM, measured);
      notes.push(judge('overview, calm', held));
      notes.push(await hidden(page, measured));
      await measured.close();
    });
    console.error(`==> overview at ${STORM} spans a second for ${args.minutes} minutes`);
    await open(page, '/console/overview');
    await phase(STORM, shop, async () => {
      const measured = await watch(page);
      notes.push(judge('overview, storm', await over('overview', STORM_SECONDS, STORM, measured)));
      await measured.close();
      for (const other of OTHERS) {
        console.error(`==> ${other}`);
        await open(page, `/console/${other}`);
        const again = await watch(page);
        await over(other, OTHERS_SECONDS, STORM, again);
        await again.close();
      }
    });
    const { body } = await shop.server.operator('GET', '/api/overview?minutes=1');
    const { receivedSpans, spans, sampledOutSpans, refusedSpans, evictedSpans, bytes, boundBytes } = body.kept;
    notes.push(`the store: ${receivedSpans} spans came, ${spans} are kept, ${sampledOutSpans} were sampled out, ${refusedSpans} refused, ${evictedSpans} let go as the oldest; ${megabytes(bytes)} of ${megabytes(boundBytes)} MB`);
  });
} finally {
  await shop.stop();
}

const report = [table(), '', ...notes.map((note) => `- ${note}`), '', ...(wrong.length > 0 ? wrong.map((each) => `WRONG: ${each}`) : ['Nothing grew.'])].join('\n');
await mkdir(args.out, { recursive: true });
await writeFile(join(args.out, 'browser.md'), `${report}\n`);
await writeFile(join(args.out, 'browser.json'), JSON.stringify({ rows, notes, wrong }, null, 2));
console.log(`\n${report}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
