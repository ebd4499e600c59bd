//! Settings of the web process beyond those every process has.

use crate::role::ServerRole;
use clap::Parser;
use runtime::config::Settings;

#[derive(Clone, Debug, Default, Parser)]
pub struct Config {
    #[command(flatten)]
    pub settings: Settings,

    /// What this process is of the server: all of it, one of many web replicas, or the one console that they listen to.
    #[arg(long, env = "ROLE", value_name = "ROLE", value_enum, default_value_t)]
    pub role: ServerRole,

    /// Address to listen on. Default: 127.0.0.1:3000, and 127.0.0.1:3010 with ROLE=web.
    #[arg(long, env = "SITE_ADDR", value_name = "ADDRESS")]
    pub site_addr: Option<String>,

    /// Secret of operators, who flip flags and set stock. Made at start and printed once when absent. Not for ROLE=web.
    #[arg(long, env = "OPERATOR_TOKEN", value_name = "SECRET", hide_env_values = true)]
    pub operator_token: Option<String>,

    /// Address of the flag sync stream (flagd's protocol, usually port 8015). On 127.0.0.1:8015 by itself when a service runs elsewhere. Not for ROLE=web.
    #[arg(long, env = "FLAGS_SYNC_ADDR", value_name = "ADDRESS")]
    pub flags_sync_addr: Option<String>,

    /// Lets everybody on this network order: listens on all addresses and shows a QR code. The console still needs its link.
    #[arg(long, env = "LAN")]
    pub lan: bool,

    /// Requests a second for one client; 0 is no limit. Default: no limit on loopback, 100 otherwise.
    #[arg(long, env = "RATE_LIMIT", value_name = "NUMBER")]
    pub rate_limit: Option<u32>,

    /// Addresses of proxies whose X-Forwarded-For is believed, comma-separated.
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "ADDRESS,...", value_delimiter = ',')]
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// A secret nobody can guess, for a process that was given none.
pub fn make_token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
