//! Programs of the operating system that only tests use.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::{command, output, run, which};

/// Something that a package of the system brings.
struct Program {
    /// What people call it.
    name: &'static str,
    /// Its Debian package.
    package: &'static str,
    /// What brings it on macOS.
    brew: &'static str,
    /// Whether tests cannot run without it.
    required: bool,
    find: fn() -> Option<PathBuf>,
}

const PROGRAMS: [Program; 4] = [
    Program { name: "redis-server", package: "redis-server", brew: "redis", required: true, find: redis_server },
    Program { name: "Chromium", package: "chromium", brew: "--cask chromium", required: true, find: chromium },
    Program { name: "PostgreSQL", package: "postgresql", brew: "postgresql", required: true, find: postgres },
    Program {
        name: "a font with emoji",
        package: "fonts-noto-color-emoji",
        brew: "--cask font-noto-color-emoji",
        required: false,
        find: emoji_font,
    },
];

/// Where redis-server is.
pub fn redis_server() -> Option<PathBuf> {
    from_env("FEAST_REDIS_SERVER").or_else(|| which("redis-server"))
}

/// Where a Chromium or Chrome is.
pub fn chromium() -> Option<PathBuf> {
    from_env("FEAST_CHROMIUM")
        .or_else(|| ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(which))
        .or_else(|| {
            ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
                .into_iter()
                .map(PathBuf::from)
                .find(|file| file.is_file())
        })
}

/// The folder with `postgres`, `initdb` and `dropdb`.
pub fn postgres_bin() -> Option<PathBuf> {
    postgres()?.parent().map(Path::to_owned)
}

fn postgres() -> Option<PathBuf> {
    // A client alone has some of them.
    let whole = |bin: PathBuf| ["postgres", "initdb", "dropdb"].iter().all(|name| bin.join(name).is_file()).then(|| bin.join("postgres"));
    let named = env::var_os("FEAST_POSTGRES_BIN").map(PathBuf::from);
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    // Debian keeps the server out of PATH, one folder a version.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    named.into_iter().chain(on_path).chain(versions).find_map(whole)
}

fn emoji_font() -> Option<PathBuf> {
    [
        "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
        "/usr/share/fonts/noto/NotoColorEmoji.ttf",
        "/System/Library/Fonts/Apple Color Emoji.ttc",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|file| file.is_file())
}

fn from_env(name: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env::var_os(name)?);
    file.is_file().then_some(file)
}

/// Installs what is missing where that needs no password; says what was added and what stays missing.
///
/// # Errors
/// When something that tests cannot do without is missing and cannot be installed.
pub fn ensure(paths: &Paths) -> Result<Vec<String>> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    if let Some(apt) = Apt::find(paths)
        && let Err(error) = apt.install(&packages)
    {
        eprintln!("    {error:#}");
    }
    let still = self::missing();
    let notes =
        missing
            .iter()
            .map(|program| {
                if still.iter().any(|left| left.name == program.name) {
                    format!("without {}", program.name)
                } else {
                    program.name.to_owned()
                }
            })
            .collect();
    match still.iter().any(|program| program.required) {
        true => bail!("{}", sentence(&still, which("apt-get").is_some())),
        false => Ok(notes),
    }
}

fn missing() -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|program| (program.find)().is_none()).collect()
}

/// One sentence: what is missing, and the command that mends it.
fn sentence(missing: &[&Program], debian: bool) -> String {
    let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
    let names = names.join(", ");
    let join = |word: fn(&Program) -> &'static str, between: &str| {
        let words: Vec<&str> = missing.iter().map(|program| word(program)).collect();
        words.join(between)
    };
    if debian {
        let packages = join(|program| program.package, " ");
        format!("missing for the tests: {names}; run `sudo apt-get update && sudo apt-get install {packages}`")
    } else if cfg!(target_os = "macos") {
        let formulas = join(|program| program.brew, " && brew install ");
        format!("missing for the tests: {names}; run `brew install {formulas}`")
    } else {
        format!("missing for the tests: {names}; install them with the package manager of this system")
    }
}

/// apt-get, where it may install without a password.
pub struct Apt<'a> {
    paths: &'a Paths,
    sudo: bool,
}

impl<'a> Apt<'a> {
    /// None without apt-get, or where it would ask for a password.
    pub fn find(paths: &'a Paths) -> Option<Self> {
        which("apt-get")?;
        let root = output(command(paths, "id").arg("-u")).is_ok_and(|id| id == "0");
        let sudo = !root;
        if sudo {
            which("sudo")?;
            output(command(paths, "sudo").args(["-n", "true"])).ok()?;
        }
        Some(Self { paths, sudo })
    }

    /// Installs packages; the package lists are fetched first, because new machines have none.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        eprintln!("    installing {}", packages.join(", "));
        let updated = run(self.apt_get().args(["-qq", "update"]));
        let installed = run(self.apt_get().args(["-qq", "install", "--yes", "--no-install-recommends"]).args(packages));
        installed.and(updated).with_context(|| format!("apt-get could not install {}", packages.join(", ")))
    }

    fn apt_get(&self) -> std::process::Command {
        let mut apt = if self.sudo {
            let mut sudo = command(self.paths, "sudo");
            sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        } else {
            command(self.paths, "apt-get")
        };
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        // Another installation may be running: wait for it instead of failing.
        apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
        apt.stdin(std::process::Stdio::null());
        // Its progress is not a result.
        apt.stdout(std::io::stderr());
        apt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_one_sentence_with_the_command_that_mends_it() {
        let text = sentence(&[&PROGRAMS[0], &PROGRAMS[1]], true);
        assert_eq!(
            text,
            "missing for the tests: redis-server, Chromium; \
             run `sudo apt-get update && sudo apt-get install redis-server chromium`"
        );
    }
}
