//! How a run is set up, and what every measurement needs of it.

use crate::drive::{Load, Plan};
use crate::server::Running;
use crate::table::Row;
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::time::Duration;

/// At once, for everything that is about throughput.
pub const CONNECTIONS: usize = 64;

pub struct Bench {
    pub server: PathBuf,
    pub out: PathBuf,
    pub quick: bool,
    pub cookies: bool,
}

/// What a measurement found.
#[derive(Default)]
pub struct Found {
    pub rows: Vec<Row>,
    pub faults: Vec<String>,
}

impl Bench {
    /// A server of this measurement's own, with its log in `NAME.log`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(&self, name: &str) -> Result<Running> {
        Running::server(&self.server, &self.out, name).await
    }

    /// Warm-up, then measure: five seconds each, two in a quick run.
    pub fn plan(&self, connections: usize) -> Plan {
        let seconds = Duration::from_secs(if self.quick { 2 } else { 5 });
        Plan { connections, warm_up: seconds, measure: seconds, cookies: self.cookies, headers: &[] }
    }

    /// How often something is repeated that is measured one by one.
    pub const fn times(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}

impl Found {
    /// A row, and whatever went wrong while it was measured.
    pub fn add<J>(&mut self, row: Row, load: &Load<J>) {
        for (what, count) in &load.errors {
            self.faults.push(format!("{}: {count} × {what}", row.name));
        }
        self.rows.push(row);
    }
}

impl From<Row> for Found {
    fn from(row: Row) -> Self {
        Self { rows: vec![row], faults: Vec::new() }
    }
}

/// The middle of an odd number of values.
///
/// # Errors
/// There are none.
pub fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    match values.get(values.len() / 2) {
        Some(middle) => Ok(*middle),
        None => bail!("nothing was measured"),
    }
}
