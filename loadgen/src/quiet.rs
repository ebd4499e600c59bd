//! What of goose's log people see: errors, and that Ctrl-C was heard. It logs every failed request as a warning; ours are
//! counted in the report.

use log::{LevelFilter, Log, Metadata, Record};

struct Quiet;

impl Log for Quiet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == log::Level::Error || metadata.target().starts_with("goose::util")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Before goose installs its own.
pub fn init() {
    if log::set_logger(&Quiet).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}
