//! What was found, as a table and as a file.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// One variant of one flag.
pub struct Row {
    pub mode: &'static str,
    pub flag: &'static str,
    pub variant: String,
    /// From the flip to the first request it touched.
    pub first: Option<Duration>,
    /// From the flip to the verdict "seen".
    pub proven: Option<Duration>,
    pub cleared: Option<Instant>,
    /// From the end of the flip until its effect was gone.
    pub gone: Option<Duration>,
    pub says: String,
    pub wrong: Option<String>,
}

impl Row {
    pub fn new(mode: &'static str, flag: &'static str, variant: &str) -> Self {
        let variant = variant.to_owned();
        Self { mode, flag, variant, first: None, proven: None, cleared: None, gone: None, says: String::new(), wrong: None }
    }

    /// It was seen, is off, and can still be seen.
    pub fn is_going(&self) -> bool {
        self.proven.is_some() && self.cleared.is_some() && self.gone.is_none()
    }

    pub fn is_late(&self, patience: Duration) -> bool {
        self.cleared.is_some_and(|cleared| cleared.elapsed() > patience)
    }
}

/// One line a row, in columns, under a line of names.
pub fn text(rows: &[Row]) -> String {
    let seconds = |time: Option<Duration>| time.map_or("–".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
    let mut text = format!("{:<9}{:<28}{:<28}{:>8}{:>9}{:>8}  what was seen\n", "mode", "flag", "variant", "first", "proven", "gone");
    for row in rows {
        let (first, proven, gone) = (seconds(row.first), seconds(row.proven), seconds(row.gone));
        let said = row.wrong.as_ref().map_or_else(|| row.says.clone(), |wrong| format!("WRONG: {wrong} — {}", row.says));
        let _ = writeln!(text, "{:<9}{:<28}{:<28}{first:>8}{proven:>9}{gone:>8}  {said}", row.mode, row.flag, row.variant);
    }
    text
}
