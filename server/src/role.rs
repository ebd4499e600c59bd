//! `ROLE`: what this process is of the server. One process may be all of it; behind a load balancer it is many web replicas and one console.
//!
//! What needs one owner (flags, the telemetry store, load, incidents, detection, the audit log, resets) is made by `owner.rs`, and not at a
//! web replica. What replicas have to know of each other they keep in Redis or ask the services; what each may keep for itself is in
//! docs/architecture.md.

use crate::config::Config;
use clap::ValueEnum;
use runtime::boot::BootError;
use runtime::config::Settings;

/// Where the console of this machine serves its flags.
const CONSOLES_FLAGS: &str = "flagd://127.0.0.1:8015";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ServerRole {
    /// Shop and console in one process, and every service that has no address.
    #[default]
    All,
    /// The shop and its API, as many as wanted. Keeps nothing, hears of flags from the console and sends its telemetry there.
    Web,
    /// The one that owns flags, telemetry, load and incidents. Answers the shop too.
    Console,
}

impl ServerRole {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Web => "web",
            Self::Console => "console",
        }
    }

    /// Where it listens by itself. On one machine the console has the usual port, because everybody sends telemetry there.
    pub const fn port(self) -> u16 {
        match self {
            Self::All | Self::Console => 3000,
            Self::Web => 3010,
        }
    }

    /// Whether it has what only one process may have.
    pub const fn owns(self) -> bool {
        matches!(self, Self::All | Self::Console)
    }
}

impl Config {
    /// Fills in what follows from the role.
    ///
    /// # Errors
    /// A setting that the role needs is absent, or one that it has no use for is there; one sentence that names it.
    pub fn settle(mut self) -> Result<Self, BootError> {
        if self.role == ServerRole::All {
            return Ok(self);
        }
        self.nothing_is_embedded()?;
        if self.role == ServerRole::Web {
            self.listens_to_the_console()?;
            self.settings.flags_source.get_or_insert_with(|| CONSOLES_FLAGS.to_owned());
        }
        Ok(self)
    }

    /// What lives in one process is unknown to the others.
    fn nothing_is_embedded(&self) -> Result<(), BootError> {
        let of = |service: &str| format!("{}_URL", service.to_uppercase());
        let embedded = Settings::SERVICES.into_iter().filter(|service| self.settings.addresses(service).is_empty()).map(of);
        let missing: Vec<String> = embedded.chain(self.settings.redis_url.is_none().then(|| "REDIS_URL".to_owned())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (role, are) = (self.role.as_str(), if missing.len() == 1 { "is" } else { "are" });
        let why = "other replicas would not see what one of them keeps in its memory";
        Err(BootError::Config(format!(
            "{} {are} not set, and ROLE={role} needs every service's address and Redis: {why}",
            missing.join(", ")
        )))
    }

    fn listens_to_the_console(&self) -> Result<(), BootError> {
        let wrong = |why: &str| Err(BootError::Config(why.to_owned()));
        match self.settings.flags_source.as_deref().map(str::trim) {
            Some("embedded") => {
                return wrong(
                    "FLAGS_SOURCE is embedded, but ROLE=web hears of flips from the console: leave it out or name flagd://HOST:PORT",
                );
            }
            _ if self.flags_sync_addr.is_some() => {
                return wrong("FLAGS_SYNC_ADDR is set, but ROLE=web serves flags to nobody: it is for the process with ROLE=console");
            }
            _ => {}
        }
        if self.operator_token.is_some() {
            return wrong("OPERATOR_TOKEN is set, but ROLE=web has nothing for operators: it is for the process with ROLE=console");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(role: ServerRole) -> Config {
        let at = || vec!["http://127.0.0.1:1".to_owned()];
        let settings = Settings {
            redis_url: Some("redis://127.0.0.1:6379".to_owned()),
            menu_url: at(),
            cart_url: at(),
            middleware_url: at(),
            order_url: at(),
            user_url: at(),
            payment_url: at(),
            delivery_url: at(),
            notification_url: at(),
            ..Settings::default()
        };
        Config { settings, role, ..Config::default() }
    }

    fn refusal(config: Config) -> String {
        config.settle().map(|_| String::new()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_web_replica_hears_of_flags_from_the_console_unless_it_is_told_another_source() {
        assert_eq!(config(ServerRole::Web).settle().unwrap().settings.flags_source.as_deref(), Some("flagd://127.0.0.1:8015"));
        assert_eq!(config(ServerRole::Console).settle().unwrap().settings.flags_source, None);
        let mut elsewhere = config(ServerRole::Web);
        elsewhere.settings.flags_source = Some("flagd://console:8015".to_owned());
        assert_eq!(elsewhere.settle().unwrap().settings.flags_source.as_deref(), Some("flagd://console:8015"));
    }

    #[test]
    fn what_would_be_kept_in_one_process_is_refused_by_name() {
        for role in [ServerRole::Web, ServerRole::Console] {
            let mut without = config(role);
            without.settings.cart_url.clear();
            without.settings.redis_url = None;
            let said = refusal(without);
            assert!(said.starts_with("CART_URL, REDIS_URL are not set") && said.contains(role.as_str()), "{said}");
        }
        assert_eq!(refusal(Config::default()), "", "one process may keep everything");
    }

    #[test]
    fn a_web_replica_takes_no_setting_of_the_console() {
        let mut embedded = config(ServerRole::Web);
        embedded.settings.flags_source = Some("embedded".to_owned());
        assert!(refusal(embedded).starts_with("FLAGS_SOURCE"));
        assert!(refusal(Config { flags_sync_addr: Some("x".to_owned()), ..config(ServerRole::Web) }).starts_with("FLAGS_SYNC_ADDR"));
        assert!(refusal(Config { operator_token: Some("x".to_owned()), ..config(ServerRole::Web) }).starts_with("OPERATOR_TOKEN"));
        assert_eq!(refusal(Config { operator_token: Some("x".to_owned()), ..config(ServerRole::Console) }), "");
    }
}
