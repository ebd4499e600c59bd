//! Pieces that pages are made of. Server HTML only: nothing here reaches the browser as wasm.

pub mod art;
pub mod doors;
pub mod forms;
pub mod layout;
pub mod options;
pub mod picks;
pub mod receipt;
pub mod stations;
pub mod words;
