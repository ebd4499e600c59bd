//! What a test stands on: a platform of its own, embedded or split, spoken to from outside only.

mod agent;
mod flags;
mod http;
mod platform;
mod ports;
mod process;
mod shop;

pub use agent::{Agent, balanced};
pub use http::{Answer, Ask, Browser, Http};
pub use platform::{Mode, Options, Platform, REPLICAS, SERVICES, run};
pub use ports::Ports;
pub use process::clean_command;
pub use shop::{LATTE, next, placed, purchase};

pub const OPERATOR_TOKEN: &str = "operator-token-of-the-system-suite";

/// Writes each test twice: on the embedded platform and on nine processes with a Redis. Both run the same code.
macro_rules! on_both_platforms {
    ($options:expr => $($name:ident),+ $(,)?) => {
        mod embedded {
            #[allow(unused_imports, reason = "the options may be made of the module's own")]
            use super::*;

            $(#[test]
            fn $name() {
                $crate::harness::run($crate::harness::Mode::Embedded, $options, super::$name);
            })+
        }

        mod split {
            #[allow(unused_imports, reason = "the options may be made of the module's own")]
            use super::*;

            $(#[test]
            fn $name() {
                $crate::harness::run($crate::harness::Mode::Split, $options, super::$name);
            })+
        }
    };
    ($($name:ident),+ $(,)?) => {
        on_both_platforms! { $crate::harness::Options::default() => $($name),+ }
    };
}

pub(crate) use on_both_platforms;
