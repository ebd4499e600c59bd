//! Pieces that pages are made of. Server HTML only: nothing here reaches the browser as wasm.

pub mod layout;
