//! The wasm entry point. `app/public/boot.js` calls [`hydrate`] once, then wakes every island on the page.

// Keeps the islands, which nothing here names, in the wasm.
pub use app::islands;

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    islands::start();
}
