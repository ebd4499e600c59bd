//! Pieces that pages are made of. Server HTML only: nothing here reaches the browser as wasm.

pub mod art;
pub mod forms;
pub mod layout;
pub mod receipt;
pub mod words;
