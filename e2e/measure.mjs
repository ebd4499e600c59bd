// What a page costs its browser, asked by Chromium's own protocol: heap after everything that can go is gone, nodes, listeners, refreshes,
// frames.

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Processor time of the thread that runs the page, in milliseconds: hardly touched by what else the machine does. Linux tells it. */
async function threadTime(page) {
  const browser = await page.context().browser().newBrowserCDPSession();
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  await browser.detach();
  const busiest = processInfo.filter(({ type }) => type === 'renderer').sort((a, b) => b.cpuTime - a.cpuTime)[0];
  const file = `/proc/${busiest?.id}/task/${busiest?.id}/schedstat`;
  return async () => Number((await readFile(file, 'utf8').catch(() => 'NaN')).split(' ')[0]) / 1e6;
}

/** So often, and so far apart, that one look is between two refreshes. */
const LOOKS = 4;
const LOOK_MS = 170;

async function leftOver(cdp) {
  // Twice: what the first frees may have held what the second finds.
  await cdp.send('HeapProfiler.collectGarbage');
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await cdp.send('Runtime.getHeapUsage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const metric = (name) => metrics.find((each) => each.name === name)?.value ?? 0;
  return {
    heapBytes: usedSize + embedderHeapUsedSize + backingStorageSize,
    nodes: metric('Nodes'),
    listeners: metric('JSEventListeners'),
    documents: metric('Documents'),
  };
}

/** Begins to watch a page that is open. The processor's time is right for the busiest page of a browser. */
export async function watch(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await cdp.send('HeapProfiler.enable');
  await page.evaluate(record);
  const time = await threadTime(page);
  let timeBefore = await time();
  return {
    /** Collects garbage, then says what is left: bytes, nodes, listeners, documents. Between two refreshes: a page that is being read counts twice. */
    async held() {
      let least;
      for (let n = 0; n < LOOKS; n += 1) {
        if (n > 0) await pause(LOOK_MS);
        const found = await leftOver(cdp);
        if (least === undefined || found.nodes < least.nodes) least = found;
      }
      return least;
    },
    /** What happened since the last call: refreshes and how long each took, tasks and gaps between frames over 50 ms, processor time. */
    async seen() {
      const [taken, now] = [await page.evaluate(() => window.feastWatch.take()), await time()];
      const threadMs = now - timeBefore;
      timeBefore = now;
      return { ...taken, threadMs };
    },
    /** Refreshes since the beginning. */
    refreshes: () => page.evaluate(() => window.feastWatch.refreshes),
    close: () => cdp.detach(),
  };
}

/** Makes a page believe that another tab stands in front of it, or that somebody looks at it again. */
export async function look(page, visible) {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visible ? 'visible' : 'hidden');
}

/** Runs in the page. A refresh is from the question to the page being put in place. */
function record() {
  const LONG_MS = 50;
  const fresh = () => ({ refreshMs: [], longTasksMs: [], gapsMs: [], mostAtOnce: 0 });
  let seen = fresh();
  let atOnce = 0;
  const state = {
    refreshes: 0,
    take() {
      const taken = seen;
      seen = fresh();
      return taken;
    },
  };
  window.feastWatch = state;
  let asked = 0;
  const fetch = window.fetch;
  window.fetch = function (...question) {
    if (String(question[0]) !== location.href) return fetch.apply(this, question);
    asked = performance.now();
    atOnce += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, atOnce);
    const answered = fetch.apply(this, question);
    answered.finally(() => (atOnce -= 1)).catch(() => {});
    return answered;
  };
  window.addEventListener('feast:swapped', () => {
    state.refreshes += 1;
    seen.refreshMs.push(performance.now() - asked);
  });
  const tasks = new PerformanceObserver((list) => list.getEntries().forEach((entry) => seen.longTasksMs.push(entry.duration)));
  tasks.observe({ type: 'longtask' });
  let before = performance.now();
  const frame = (now) => {
    if (now - before > LONG_MS) seen.gapsMs.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** The value below which so many percent of the values are; 0 of none. */
export function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
