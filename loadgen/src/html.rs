//! The report as one self-contained page, without scripts. Goose's graphs stand beside it in their own file.

use crate::attack::GRAPHS_FILE;
use crate::report::Report;
use crate::table;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;background:#0b0b1e;color:#eef}\
h1{font-size:1.6rem}a{color:#9cf}pre{font:13px/1.5 ui-monospace,monospace;overflow-x:auto;background:#15152e;padding:1rem;border-radius:.5rem}\
.passed{color:#7ee2a8}.failed{color:#ff8a8a}";

pub fn render(report: &Report, with_graphs: bool) -> String {
    let (class, verdict) = if report.passed { ("passed", "passed") } else { ("failed", "failed") };
    let graphs = match with_graphs {
        true => format!(" · <a href=\"{GRAPHS_FILE}\">graphs over time (by goose; raw, time to first byte)</a>"),
        false => String::new(),
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Load run {id}: {verdict}</title><style>{STYLE}</style></head><body>\
         <h1>Load run {id}: <span class=\"{class}\">{verdict}</span></h1>\
         <p>Started {started} · <a href=\"report.json\">the same as JSON</a>{graphs}</p><pre>{table}</pre></body></html>\n",
        id = escape(&report.run_id),
        started = report.started_at,
        table = escape(table::render(report).trim_start()),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
