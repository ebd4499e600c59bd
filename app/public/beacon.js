// Tells the shop what the browser saw: calls of islands, how quickly the page was there, errors. Calls carry trace context, so that a trace
// begins where the finger was. Nothing of it is needed for anything: where a browser lacks something, that is not told.

const ENDPOINT = "/api/beacon";
const MOST_CALLS = 32;
const MOST_ERRORS = 8;
// Soon enough to be watched live, rarely enough to be cheap.
const PAUSE_MS = 1000;

const calls = [];
const errors = [];
const vitals = {};
let viewed = false;
let waiting = false;

const now = () => performance.timeOrigin + performance.now();
const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const navigation = () => performance.getEntriesByType("navigation")[0];

function send(view) {
  if (!view && !calls.length && !errors.length) return;
  const trace = navigation()?.serverTiming?.find((entry) => entry.name === "traceparent")?.description ?? "";
  const told = { page: location.pathname, trace, sentAt: now(), view, calls: calls.splice(0), errors: errors.splice(0) };
  navigator.sendBeacon(ENDPOINT, new Blob([JSON.stringify(told)], { type: "application/json" }));
}

function note(list, most, what) {
  if (list.length < most) list.push(what);
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    send();
  }, PAUSE_MS);
}

// Once, when somebody leaves or looks away: only then is it known what the page was like.
function left() {
  if (document.visibilityState !== "hidden") return;
  const loaded = navigation();
  const view = viewed || !loaded
    ? undefined
    : { startedAt: performance.timeOrigin, loadMs: loaded.loadEventEnd, ttfbMs: loaded.responseStart, ...vitals };
  viewed = true;
  send(view);
}

function watch(type, take, more) {
  try {
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  } catch {
    // This browser does not measure it.
  }
}

function measure() {
  watch("paint", (entry) => {
    if (entry.name === "first-contentful-paint") vitals.fcpMs = entry.startTime;
  });
  watch("largest-contentful-paint", (entry) => {
    vitals.lcpMs = entry.startTime;
  });
  watch("layout-shift", (entry) => {
    if (!entry.hadRecentInput) vitals.cls = (vitals.cls ?? 0) + entry.value;
  });
  watch("event", (entry) => {
    if (entry.interactionId) vitals.inpMs = Math.max(vitals.inpMs ?? 0, entry.duration);
  }, { durationThreshold: 40 });
}

function trace() {
  const plain = window.fetch;
  window.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    if (url.origin !== location.origin || url.pathname.startsWith("/pkg/")) return plain.call(window, input, init);
    const request = new Request(input, init);
    const context = `00-${hex(16)}-${hex(8)}-01`;
    request.headers.set("traceparent", context);
    const startedAt = now();
    let status = 0;
    try {
      const response = await plain.call(window, request);
      status = response.status;
      return response;
    } finally {
      note(calls, MOST_CALLS, { trace: context, method: request.method, path: url.pathname, startedAt, tookMs: now() - startedAt, status });
    }
  };
}

function listen() {
  const fault = (message, source) => note(errors, MOST_ERRORS, { at: now(), message: String(message), source });
  addEventListener("error", (event) => {
    if (event.message) fault(event.message, `${new URL(event.filename || "/", location.href).pathname}:${event.lineno}`);
  });
  addEventListener("unhandledrejection", (event) => fault(event.reason?.message ?? event.reason, "promise"));
  addEventListener("visibilitychange", left);
  addEventListener("pagehide", left);
}

// Whoever watches the shop is no customer of it: the console would watch itself watching.
if (!location.pathname.startsWith("/console")) {
  trace();
  measure();
  listen();
}
