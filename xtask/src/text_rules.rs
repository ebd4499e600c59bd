//! What must not be in any committed text: paths of one machine, and hosts of package registries.

use std::fs;

use anyhow::{Result, bail};

use crate::paths::Paths;
use crate::process::{command, output};

/// Folders whose names are somebody's machine. Each is written in two halves, so that this file keeps the rule.
const MACHINE_FOLDERS: [&str; 5] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/"), concat!("/tm", "p/")];

/// Hosts that a lock file or a script would pin everybody to.
const REGISTRY_HOSTS: [&str; 6] = [
    concat!("registry.np", "mjs.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("static.cra", "tes.io"),
    concat!("index.cra", "tes.io"),
    concat!("files.python", "hosted.org"),
    concat!("pypi.py", "thon.org"),
];

/// Checks every text file that git knows or would add.
pub fn check(paths: &Paths) -> Result<String> {
    let files = output(command(paths, "git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut checked = 0;
    let mut broken = Vec::new();
    for file in files.lines() {
        // Deleted files are still listed, and pictures are no text.
        let Ok(text) = fs::read_to_string(paths.root.join(file)) else {
            continue;
        };
        checked += 1;
        for (number, line) in text.lines().enumerate() {
            if let Some(what) = breaks_a_rule(line) {
                broken.push(format!("{file}:{}: {what}", number + 1));
            }
        }
    }
    if broken.is_empty() {
        return Ok(format!("{checked} files"));
    }
    bail!("{} lines break a text rule:\n{}", broken.len(), broken.join("\n"))
}

fn breaks_a_rule(line: &str) -> Option<String> {
    if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(*host)) {
        return Some(format!("names the package registry {host}"));
    }
    MACHINE_FOLDERS.iter().find(|folder| is_machine_path(line, folder)).map(|folder| format!("has a path of one machine, below {folder}"))
}

/// A path that begins with the folder, and not an address or a longer path in which it comes later.
fn is_machine_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || "._-~}*/$)".contains(c));
        begins && after.is_some_and(|c| c.is_alphanumeric() || "._-{$".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_break_a_rule() {
        for folder in MACHINE_FOLDERS {
            let line = format!("see {folder}someone/notes.txt");
            assert!(breaks_a_rule(&line).is_some(), "{line}");
            let line = format!("let dir = \"{folder}x\";");
            assert!(breaks_a_rule(&line).is_some(), "{line}");
        }
    }

    #[test]
    fn addresses_and_longer_paths_do_not() {
        for folder in MACHINE_FOLDERS {
            for line in [
                format!("https://example.org{folder}page"),
                format!("app{folder}mod.rs"),
                format!("mountPath: {}", folder.trim_end_matches('/')),
                format!("$DIR{folder}x"),
            ] {
                assert_eq!(breaks_a_rule(&line), None, "{line}");
            }
        }
    }

    #[test]
    fn hosts_of_registries_break_a_rule() {
        for host in REGISTRY_HOSTS {
            let line = format!("\"resolved\": \"https://{host}/x.tgz\"");
            assert!(breaks_a_rule(&line).is_some(), "{line}");
        }
        assert_eq!(breaks_a_rule("source = \"registry+https://github.com/rust-lang/crates.io-index\""), None);
    }
}
