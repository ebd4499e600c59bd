//! Facts about the style sheets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A class means one thing. What two files draw under one name, the later one draws over the earlier, on pages neither has in mind.
#[test]
fn a_class_is_drawn_in_one_file() {
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("style");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Paper takes away from everything.
        if name == "print.css" {
            continue;
        }
        for class in classes(&std::fs::read_to_string(&path).unwrap()) {
            homes.entry(class).or_default().insert(name.clone());
        }
    }
    assert!(homes.len() > 100, "{} classes were found", homes.len());
    homes.retain(|_, files| files.len() > 1);
    assert!(homes.is_empty(), "classes with rules of their own in several files: {homes:?}");
}

/// Classes that have a rule to themselves, on every page: `.panel`, `.panel:hover`, and not `.cart .panel` or `.panel:has(.cart)`.
fn classes(sheet: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let mut rest = sheet;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    let mut depth = 0_u32;
    bare.retain(|c| {
        let outside = depth == 0;
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        outside
    });
    let selectors = bare.split('{').filter_map(|text| text.rsplit(['}', ';']).next()).map(str::trim);
    let parts = selectors.filter(|selector| !selector.starts_with('@')).flat_map(|selector| selector.split(','));
    parts.filter_map(|part| class(part.trim())).map(str::to_owned).collect()
}

fn class(selector: &str) -> Option<&str> {
    let one = selector.strip_prefix('.').filter(|rest| !rest.contains(|c: char| c.is_whitespace() || c == '('))?;
    let name = one.split_once(':').map_or(one, |(name, _)| name);
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).then_some(name)
}

#[test]
fn a_rule_for_a_class_is_told_from_one_for_a_class_within_another() {
    let sheet = "@layer components { /* .no { } */ .a, .b:hover { color: red; } .c .d, .g:has(.h) .i { top: 0 } @media (min-width: 1rem) { .e { top: 0 } } .f.g { top: 0 } }";
    assert_eq!(classes(sheet).into_iter().collect::<Vec<_>>(), ["a", "b", "e"]);
}
