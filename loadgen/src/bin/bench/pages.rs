//! What browsers fetch: the menu page against a static reply of its bytes, a style sheet, the menu as JSON, and the weight of it all.

use crate::bench::{Bench, CONNECTIONS, Found};
use crate::connection::Connection;
use crate::drive::{Journey, Load, Plan, drive};
use crate::server::Running;
use crate::table::{Budget, Ratio, Row};
use anyhow::{Context, Result};
use std::time::Duration;

pub const MENU_PAGE: &str = "/restaurants/cosmic-coffee";
const MENU_JSON: &str = "/api/menu";

const BROWSER: &[(&str, &str)] = &[("accept", "text/html"), ("accept-encoding", "br")];

/// A browser that is told something once: the one kind of menu page that is never kept for others.
const BROWSER_WITH_NOTICE: &[(&str, &str)] = &[("accept", "text/html"), ("accept-encoding", "br"), ("cookie", "feast_notice=added")];

/// Gets one address again and again.
struct Fetch(String);

impl Journey for Fetch {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        connection.get(&self.0).await?.expect(200, &self.0)?;
        Ok(None)
    }
}

async fn load(server: &Running, plan: Plan, path: &str) -> Result<Load<Fetch>> {
    drive(server.id(), server.address, plan, |_| Fetch(path.to_owned())).await
}

/// The page from the server, with and without what it may have kept, and the same bytes from a server that does nothing else.
pub async fn menu_page(bench: &Bench) -> Result<Found> {
    let mut server = bench.start("menu-page").await?;
    let file = bench.out.join("menu-page.http");
    let mut browser = BROWSER.iter().fold(server.connect().await?, |browser, (name, value)| browser.with(name, value));
    let page = browser.get(MENU_PAGE).await?.expect(200, MENU_PAGE)?;
    std::fs::write(&file, [page.head(), page.body].concat()).with_context(|| format!("{} cannot be written", file.display()))?;
    let bytes = page.body.len();

    let mut found = Found::default();
    let plan = Plan { headers: BROWSER, ..bench.plan(CONNECTIONS) };
    let plain = {
        let server = Running::static_reply(&file, &bench.out.join("static.log")).await?;
        load(&server, plan, MENU_PAGE).await?
    };
    let base = plain.per_second();
    found.add(
        Row::of_load("static reply", CONNECTIONS, &plain).note(format!("the {bytes} bytes of the menu page from a plain axum server")),
        &plain,
    );

    let kept = load(&server, plan, MENU_PAGE).await?;
    found.add(compared(Row::of_load("menu page", CONNECTIONS, &kept), base, 0.5), &kept);

    let fresh = load(&server, Plan { headers: BROWSER_WITH_NOTICE, ..plan }, MENU_PAGE).await?;
    let row =
        Row::of_load("menu page, rendered each time", CONNECTIONS, &fresh).note("with a notice to show, so that no kept page will do");
    found.add(compared(row, base, 0.2), &fresh);
    Ok(found)
}

fn compared(row: Row, base: f64, at_least: f64) -> Row {
    let ratio = row.value / base;
    Row { ratio: Some(Ratio { value: ratio, to: "static reply".to_owned() }), ..row }.budget(Budget::at_least(
        ratio,
        at_least,
        " of static",
    ))
}

pub async fn assets(bench: &Bench) -> Result<Found> {
    let mut server = bench.start("assets").await?;
    let mut browser = server.connect().await?.with("accept-encoding", "br");
    let page = browser.get(MENU_PAGE).await?.expect(200, MENU_PAGE)?;
    let html = String::from_utf8_lossy(page.body).into_owned();
    let style = addresses(&html).into_iter().find(|address| address.ends_with(".css")).context("the menu page has no style sheet")?;
    let reply = browser.get(&style).await?.expect(200, &style)?;
    let note = format!("the style sheet, {} bytes, {}", reply.body.len(), reply.header("content-encoding").unwrap_or("not compressed"));
    let load = load(&server, Plan { headers: BROWSER, ..bench.plan(CONNECTIONS) }, &style).await?;
    let row = Row::of_load("assets", CONNECTIONS, &load).note(note);
    let rate = row.value;
    let mut found = Found::default();
    found.add(row.budget(Budget::at_least(rate, 20_000.0, "/s")), &load);
    Ok(found)
}

pub async fn menu_json(bench: &Bench) -> Result<Found> {
    let server = bench.start("menu-json").await?;
    let load = load(&server, bench.plan(CONNECTIONS), MENU_JSON).await?;
    let row = Row::of_load("menu JSON", CONNECTIONS, &load);
    let rate = row.value;
    let mut found = Found::default();
    found.add(row.budget(Budget::at_least(rate, 40_000.0, "/s")), &load);
    Ok(found)
}

/// Everything that the menu page makes a browser load, as it travels.
pub async fn weight(bench: &Bench) -> Result<Found> {
    let mut server = bench.start("page-weight").await?;
    let mut browser = server.connect().await?.with("accept-encoding", "br");
    let page = browser.get(MENU_PAGE).await?.expect(200, MENU_PAGE)?;
    let mut waiting = addresses(&String::from_utf8_lossy(page.body));
    let (mut seen, mut parts, mut total) = (Vec::new(), Vec::new(), 0);
    let mut plain = Vec::new();
    while let Some(address) = waiting.pop() {
        if seen.contains(&address) {
            continue;
        }
        let mut as_text = server.connect().await?;
        let text = as_text.get(&address).await?.expect(200, &address)?;
        if address.ends_with(".js") {
            waiting.extend(imports(&String::from_utf8_lossy(text.body), &address));
        }
        let reply = browser.get(&address).await?.expect(200, &address)?;
        let name = address.rsplit('/').next().unwrap_or(&address).to_owned();
        if reply.header("content-encoding") != Some("br") {
            plain.push(name.clone());
        }
        total += reply.body.len();
        parts.push((name, reply.body.len()));
        seen.push(address);
    }
    parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let parts: Vec<_> = parts.into_iter().map(|(name, bytes)| format!("{name} {bytes}")).collect();
    let mut row = Row::new("customer page: wasm, JS, CSS", total as f64, "bytes").note(parts.join(", "));
    if !plain.is_empty() {
        row = row.note(format!("travels without brotli: {}", plain.join(", ")));
    }
    Ok(row.budget(Budget::at_most(total as f64, 120_000.0, " bytes")).into())
}

/// The style sheets, scripts and wasm that a page names in its links and scripts.
fn addresses(html: &str) -> Vec<String> {
    let tags = html.split('<').filter(|tag| tag.starts_with("link ") || tag.starts_with("script "));
    let named = tags.filter_map(|tag| attribute(tag, "href").or_else(|| attribute(tag, "src")));
    let mut found: Vec<String> = Vec::new();
    for address in named.filter(|address| is_code(address)) {
        if !found.iter().any(|known| known == address) {
            found.push(address.to_owned());
        }
    }
    found
}

fn is_code(address: &str) -> bool {
    [".css", ".js", ".wasm"].iter().any(|ending| address.ends_with(ending))
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// What a script loads from beside itself: by `import … from`, `import(…)` or `new URL(…)`.
fn imports(script: &str, address: &str) -> Vec<String> {
    let folder = address.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for before in ["from ", "import ", "import(", "new URL("] {
        for (at, _) in script.match_indices(before) {
            let rest = &script[at + before.len()..];
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some(name) = rest[1..].split(quote).next().and_then(|name| name.strip_prefix("./")) else { continue };
            if is_code(name) {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_what_it_loads() {
        let html = r#"<link rel="icon" href="/pkg/1/favicon.svg"><link rel="stylesheet" href="/pkg/1/feast.css"><link rel="preload" href="/pkg/1/feast.wasm" as="fetch">
            <a href="/cart.js">cart</a><script type="module" src="/pkg/1/boot.js"></script><script src="/pkg/1/boot.js"></script>"#;
        assert_eq!(addresses(html), ["/pkg/1/feast.css", "/pkg/1/feast.wasm", "/pkg/1/boot.js"]);
    }

    #[test]
    fn a_script_names_what_it_loads_from_beside_itself() {
        let script = r#"import init, * as feast from "./feast.js"; import './x.js'; fetch("./no.js"); imports["./wbg.js"] = 1; new URL("./feast.wasm", import.meta.url)"#;
        assert_eq!(imports(script, "/pkg/1/boot.js"), ["/pkg/1/feast.js", "/pkg/1/x.js", "/pkg/1/feast.wasm"]);
    }
}
