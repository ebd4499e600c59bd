//! Settings. Every one is an environment variable and, under the same name in lower case, a flag shown by `--help`.

use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Settings that every process understands.
#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// Redis for carts, stock and events, such as redis://127.0.0.1:6379. Without it they live in memory (one process only).
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Orders and everything else that must last: sqlite:PATH (a file a service, named after PATH), sqlite::memory: or postgres://USER@HOST/NAME. Default: one SQLite file a service in DATA_DIR.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Folder for SQLite files.
    #[arg(long, env = "DATA_DIR", value_name = "DIR", default_value = ".data")]
    pub data_dir: PathBuf,

    /// Addresses of the menu service, comma-separated; embedded when absent.
    #[arg(long, env = "MENU_URL", value_name = "URL,...", value_delimiter = ',')]
    pub menu_url: Vec<String>,

    /// Addresses of the cart service, comma-separated; embedded when absent.
    #[arg(long, env = "CART_URL", value_name = "URL,...", value_delimiter = ',')]
    pub cart_url: Vec<String>,

    /// Addresses of the middleware service, comma-separated; embedded when absent.
    #[arg(long, env = "MIDDLEWARE_URL", value_name = "URL,...", value_delimiter = ',')]
    pub middleware_url: Vec<String>,

    /// Addresses of the order service, comma-separated; embedded when absent.
    #[arg(long, env = "ORDER_URL", value_name = "URL,...", value_delimiter = ',')]
    pub order_url: Vec<String>,

    /// Addresses of the user service, comma-separated; embedded when absent.
    #[arg(long, env = "USER_URL", value_name = "URL,...", value_delimiter = ',')]
    pub user_url: Vec<String>,

    /// Addresses of the payment service, comma-separated; embedded when absent.
    #[arg(long, env = "PAYMENT_URL", value_name = "URL,...", value_delimiter = ',')]
    pub payment_url: Vec<String>,

    /// Addresses of the delivery service, comma-separated; embedded when absent.
    #[arg(long, env = "DELIVERY_URL", value_name = "URL,...", value_delimiter = ',')]
    pub delivery_url: Vec<String>,

    /// Addresses of the notification service, comma-separated; embedded when absent.
    #[arg(long, env = "NOTIFICATION_URL", value_name = "URL,...", value_delimiter = ',')]
    pub notification_url: Vec<String>,

    /// Where flags come from: embedded, file:PATH or flagd://HOST:PORT. A service that runs alone, and a server with ROLE=web, listens to flagd://127.0.0.1:8015, where the console serves them.
    #[arg(long, env = "FLAGS_SOURCE", value_name = "SOURCE")]
    pub flags_source: Option<String>,

    /// Secret that the gateway signs inside calls with. Needed as soon as a service is reachable from other machines.
    #[arg(long, env = "INTERNAL_TOKEN", value_name = "SECRET", hide_env_values = true)]
    pub internal_token: Option<String>,

    /// Issuer of bearer tokens (OpenID Connect), such as https://login.example.com. Without it only our own log-ins count.
    #[arg(long, env = "OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// Seed of everything that is left to chance, so that a run can be repeated.
    #[arg(long, env = "SEED", value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// How logs are written: pretty at a terminal, json elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Json,
    Pretty,
}

impl Settings {
    /// Every service there is, callees before callers.
    pub const SERVICES: [&'static str; 8] = ["menu", "middleware", "cart", "order", "user", "payment", "delivery", "notification"];

    pub fn log_format(&self) -> LogFormat {
        use std::io::IsTerminal;
        self.log_format.unwrap_or(if std::io::stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json })
    }

    /// The addresses of a service; empty when it is to be embedded.
    pub fn addresses(&self, service: &str) -> &[String] {
        match service {
            "menu" => &self.menu_url,
            "cart" => &self.cart_url,
            "middleware" => &self.middleware_url,
            "order" => &self.order_url,
            "user" => &self.user_url,
            "payment" => &self.payment_url,
            "delivery" => &self.delivery_url,
            "notification" => &self.notification_url,
            _ => &[],
        }
    }

    /// Whether any service is somewhere else.
    pub fn is_split(&self) -> bool {
        Self::SERVICES.iter().any(|service| !self.addresses(service).is_empty())
    }

    /// # Errors
    /// Off loopback the inside must be able to tell its own calls from anybody's.
    pub fn require_token_off_loopback(&self, address: SocketAddr) -> Result<(), crate::boot::BootError> {
        if address.ip().is_loopback() || self.internal_token.is_some() {
            return Ok(());
        }
        Err(crate::boot::BootError::Config(format!(
            "INTERNAL_TOKEN must be set when listening on {address}: without it anybody on the network could speak as the gateway"
        )))
    }
}
