// Wakes the islands: loads the wasm, then hands every <leptos-island> to the function that is named in its data-component.
// A file of its own, so that the content security policy needs no exception for inline scripts.
import "./beacon.js";
import init, * as feast from "./feast.js";

async function wake(root) {
  for (const island of root.querySelectorAll("leptos-island:not([data-awake])")) {
    island.setAttribute("data-awake", "");
    await feast[island.dataset.component]?.(island);
  }
}

await init({ module_or_path: new URL("./feast.wasm", import.meta.url) });
feast.hydrate();
await wake(document);
document.documentElement.dataset.awake = "";
// Parts of a page that were replaced bring islands of their own.
addEventListener("feast:swapped", (event) => wake(event.target));
