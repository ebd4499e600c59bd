//! Ports that stay ours while a process that listens on one is down.

use std::net::TcpListener;
use std::process;

/// Below the range that systems take ports for outgoing connections from, above those of the product.
const FIRST: u16 = 20_000;
const BLOCK: u16 = 16;
const BLOCKS: u16 = 700;

/// A block of ports. Its first one is bound for as long as this value lives, so that no other test takes the same block.
pub struct Ports {
    _claim: TcpListener,
    next: u16,
    end: u16,
}

impl Ports {
    pub fn claim() -> Self {
        // Tests that start together begin to look at different places.
        let start = u16::try_from(process::id() % u32::from(BLOCKS)).unwrap();
        for n in 0..BLOCKS {
            let first = FIRST + (start + n) % BLOCKS * BLOCK;
            if let Ok(claim) = TcpListener::bind(("127.0.0.1", first)) {
                return Self { _claim: claim, next: first, end: first + BLOCK };
            }
        }
        panic!("no block of ports is free");
    }

    /// A port that nobody listens on.
    pub fn take(&mut self) -> u16 {
        loop {
            self.next += 1;
            assert!(self.next < self.end, "the block of ports is used up");
            if TcpListener::bind(("127.0.0.1", self.next)).is_ok() {
                return self.next;
            }
        }
    }
}
