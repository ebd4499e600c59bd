//! The command line, and the plan it becomes.

use clap::builder::{OsStr, Resettable};
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Exit codes. 64 and 69 are those of sysexits.h.
pub mod exit {
    pub const HELD: u8 = 0;
    pub const BROKEN: u8 = 1;
    pub const BAD_ARGUMENTS: u8 = 64;
    pub const UNREACHABLE: u8 = 69;
    /// The run could not be carried out for a reason of our own, such as a report that could not be written.
    pub const INTERNAL: u8 = 70;
}

const AFTER_HELP: &str = "\
Exit code:
  0   every limit held and every order was found as its client saw it
  1   a limit broke, or an order is lost, doubled or wrong, or could not be checked
  64  the arguments are not right
  69  the target cannot be reached

The generator is closed-loop: each user waits for an answer before it goes on, so a stalled server is asked less.
Percentiles are therefore also given corrected for coordinated omission; limits are judged on the corrected ones.";

/// Orders food, as many people would, and says whether the platform kept its promises.
#[derive(Parser, Clone, Debug)]
#[command(name = "loadgen", version, after_help = AFTER_HELP)]
pub struct Args {
    /// Address of the platform
    #[arg(long, value_name = "URL", env = "TARGET_URL", default_value = "http://127.0.0.1:3000", value_parser = parse_host)]
    pub host: reqwest::Url,

    /// Shape of the load
    #[arg(long, env = "LOAD_PRESET", value_enum, default_value_t = Preset::Smoke)]
    pub preset: Preset,

    /// Users at once [default: 1, 5, 50, 200 by preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: Option<u32>,

    /// How long, such as 90s, 5m or 1h30m [default: until stopped, 1m, 5m, 5m by preset]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,

    /// Requests a minute of the trickle preset
    #[arg(long, value_name = "N", env = "REQUEST_RATE", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=6_000))]
    pub request_rate: u32,

    /// The 95th percentile of all requests must stay under this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub limit_p95_ms: u64,

    /// Failed requests must stay under this many percent of all
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = parse_percent)]
    pub limit_errors_percent: f64,

    /// Folder for report.json, report.html and graphs.html; created when missing [default: no files]
    #[arg(long, value_name = "DIR", env = "REPORT_DIR")]
    pub report_dir: Option<PathBuf>,

    /// Repeats the decisions of an earlier run [default: random, and printed]
    #[arg(long, value_name = "N", env = "SEED")]
    pub seed: Option<u64>,

    /// Lets the reconciliation also find orders that their session does not list
    #[arg(long, value_name = "TOKEN", env = "OPERATOR_TOKEN", hide_env_values = true)]
    pub operator_token: Option<String>,

    /// Follows the platform instead of a plan: as many users as its console, scripts and flags ask for, until stopped
    #[arg(long, conflicts_with_all = ["users", "duration"])]
    pub agent: bool,

    /// For an agent of a platform that does not listen on loopback; the operator's token does as well
    #[arg(long, value_name = "TOKEN", env = "INTERNAL_TOKEN", hide_env_values = true)]
    pub internal_token: Option<String>,
}

impl Args {
    /// What this process was told. A variable that is set to nothing is not set.
    ///
    /// # Errors
    /// What is wrong, or what `--help` asked for.
    pub fn from_process() -> Result<Self, clap::Error> {
        let command = Self::command().mut_args(|setting| {
            let empty = setting.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
            if empty { setting.env(Resettable::<OsStr>::Reset) } else { setting }
        });
        Self::from_arg_matches(&command.try_get_matches()?)
    }
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// One user, REQUEST_RATE requests a minute, until stopped
    Trickle,
    /// 5 users for 1 minute
    Smoke,
    /// 50 users for 5 minutes
    Load,
    /// Up to 200 users over 5 minutes, until limits break; says at which user count
    Stress,
}

impl Preset {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trickle => "trickle",
            Self::Smoke => "smoke",
            Self::Load => "load",
            Self::Stress => "stress",
        }
    }
}

/// How many users, how fast they come, how long they stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub preset: Preset,
    pub users: u32,
    /// Time in which the users arrive, evenly.
    pub ramp: Duration,
    /// Time after the last one arrived; `None`: until stopped.
    pub hold: Option<Duration>,
    /// All requests of all users together; `None`: as fast as think time and answers allow.
    pub requests_per_minute: Option<u32>,
    /// Stop as soon as the limits break, and say at how many users.
    pub until_limits_break: bool,
}

/// Users of a short run arrive at least this far apart, so that their first requests are not one burst.
const ARRIVAL_GAP: Duration = Duration::from_millis(100);
/// A stress run holds its full load this long before it calls it survived.
const STRESS_HOLD: Duration = Duration::from_secs(30);

impl Plan {
    /// Of an agent: nobody yet, and no end.
    pub const fn followed() -> Self {
        let ramp = Duration::from_secs(1);
        Self { preset: Preset::Load, users: 0, ramp, hold: None, requests_per_minute: None, until_limits_break: false }
    }

    pub fn new(args: &Args) -> Self {
        let second = Duration::from_secs(1);
        let (users, total) = match args.preset {
            Preset::Trickle => (1, None),
            Preset::Smoke => (5, Some(Duration::from_secs(60))),
            Preset::Load => (50, Some(Duration::from_secs(300))),
            Preset::Stress => (200, Some(Duration::from_secs(300))),
        };
        let users = args.users.unwrap_or(users);
        let total = args.duration.or(total);
        let stress = args.preset == Preset::Stress;
        let (ramp, hold) = match total {
            None => (second, None),
            Some(total) if stress => (total, Some(STRESS_HOLD.min(total))),
            Some(total) => {
                let ramp = whole_seconds((ARRIVAL_GAP * users).min(total / 10)).max(second);
                (ramp, Some(total.saturating_sub(ramp).max(second)))
            }
        };
        Self {
            preset: args.preset,
            users,
            ramp,
            hold,
            requests_per_minute: (args.preset == Preset::Trickle).then_some(args.request_rate),
            until_limits_break: stress,
        }
    }

    /// From the first user to the last second, when there is one.
    pub fn total(&self) -> Option<Duration> {
        self.hold.map(|hold| self.ramp + hold)
    }

    /// The plan in goose's words: `50,5s;50,295s;0,0s`.
    pub fn steps(&self) -> String {
        let (users, ramp_s) = (self.users, self.ramp.as_secs());
        match self.hold {
            Some(hold) => format!("{users},{ramp_s}s;{users},{}s;0,0s", hold.as_secs()),
            None => format!("{users},{ramp_s}s"),
        }
    }
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs_f64().ceil() as u64)
}

/// An origin: scheme, host, port. Every request's path is added to it.
fn parse_host(text: &str) -> Result<reqwest::Url, String> {
    let url: reqwest::Url = text.parse().map_err(|_| "it must be an address such as http://127.0.0.1:3000".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("it must start with http:// or https:// and name a host".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("it must be scheme, host and port only".to_owned());
    }
    Ok(url)
}

/// `90s`, `5m`, `1h30m`, or seconds without a unit; from two seconds to a week.
fn parse_duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "it must be a time such as 90s, 5m or 1h30m, from 2s to 168h";
    const WEEK_S: u64 = 7 * 24 * 3600;
    let (mut total, mut digits) = (0_u64, String::new());
    for c in text.trim().chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(HELP.to_owned()),
        };
        let number: u64 = digits.parse().map_err(|_| HELP.to_owned())?;
        total = total.saturating_add(number.saturating_mul(unit));
        digits.clear();
    }
    if !digits.is_empty() {
        total = total.saturating_add(digits.parse().map_err(|_| HELP.to_owned())?);
    }
    if (2..=WEEK_S).contains(&total) { Ok(Duration::from_secs(total)) } else { Err(HELP.to_owned()) }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it must be a number from 0 to 100".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, Plan, Preset, parse_duration};
    use clap::{CommandFactory, Parser};
    use std::time::Duration;

    fn plan(line: &str) -> Plan {
        Plan::new(&Args::try_parse_from(std::iter::once("loadgen").chain(line.split_whitespace())).unwrap())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn presets_are_what_the_help_says() {
        let trickle = plan("--preset trickle --request-rate 12");
        assert_eq!((trickle.users, trickle.total(), trickle.requests_per_minute), (1, None, Some(12)));
        let smoke = plan("");
        assert_eq!((smoke.preset, smoke.users, smoke.total()), (Preset::Smoke, 5, Some(Duration::from_secs(60))));
        let load = plan("--preset load");
        assert_eq!((load.users, load.total(), load.requests_per_minute), (50, Some(Duration::from_secs(300)), None));
        let stress = plan("--preset stress");
        assert_eq!((stress.users, stress.ramp.as_secs(), stress.until_limits_break), (200, 300, true));
    }

    #[test]
    fn users_and_duration_override_a_preset() {
        let load = plan("--preset load --users 8 --duration 20s");
        assert_eq!((load.users, load.total()), (8, Some(Duration::from_secs(20))));
        assert_eq!(load.steps(), "8,1s;8,19s;0,0s");
        assert_eq!(plan("--preset trickle").steps(), "1,1s");
        assert_eq!(plan("--preset trickle --duration 30s").steps(), "1,1s;1,29s;0,0s");
        assert_eq!(plan("--preset stress --users 20 --duration 10s").steps(), "20,10s;20,10s;0,0s");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "--preset flood",
            "--users 0",
            "--agent --users 5",
            "--users -1",
            "--duration 1s",
            "--duration 5x",
            "--duration h",
            "--host ftp://x",
            "--host nonsense",
            "--host http://x/path",
            "--limit-errors-percent 101",
            "--limit-p95-ms 0",
            "--seed abc",
            "--request-rate 0",
            "--unknown",
        ] {
            let parsed = Args::try_parse_from(std::iter::once("loadgen").chain(line.split_whitespace()));
            assert!(parsed.is_err(), "{line}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h30m", 5400), ("45", 45), ("1m5", 65)] {
            assert_eq!(parse_duration(text).unwrap().as_secs(), seconds, "{text}");
        }
    }
}
