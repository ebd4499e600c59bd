//! The whole platform, as one process or as nine with a Redis and, when asked for, a PostgreSQL.

use super::OPERATOR_TOKEN;
use super::http::{Browser, Http};
use super::ports::Ports;
use super::process::Process;
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use testkit::RedisServer;

/// Known to all processes of one split platform.
const INTERNAL_TOKEN: &str = "internal-token-of-the-system-suite";

/// A port may be taken between the look at it and its use.
const ATTEMPTS: usize = 5;

/// The services in the order of who needs whom.
pub const SERVICES: [&str; 8] = ["menu", "middleware", "cart", "order", "user", "payment", "delivery", "notification"];

/// The web replicas of a platform that has some.
pub const REPLICAS: [&str; 2] = ["web-a", "web-b"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Embedded,
    Split,
}

/// What a test needs beyond the defaults.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The server reads its flags from a file that holds this at first.
    pub flags_file: Option<&'static str>,
    pub rate_limit: Option<u32>,
    /// Every service is said to be at a second address, too, where nobody listens.
    pub dead_addresses: bool,
    /// Where a split platform's services keep what must last, instead of a file each.
    pub database_url: Option<String>,
    /// A split platform's server is the console only, and [`REPLICAS`] serve the shop.
    pub replicas: bool,
    /// More settings, for every process.
    pub settings: Vec<(&'static str, String)>,
}

pub struct Platform {
    pub mode: Mode,
    /// The gateway.
    pub http: Http,
    processes: RefCell<Vec<Process>>,
    redis: RefCell<Option<RedisServer>>,
    folder: TempDir,
    _ports: Ports,
}

/// Starts a platform, runs the test on it, and leaves nothing behind.
pub fn run(mode: Mode, options: Options, test: impl AsyncFnOnce(&Platform)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let platform = Platform::start(mode, &options).await;
        test(&platform).await;
    });
}

impl Platform {
    async fn start(mode: Mode, options: &Options) -> Self {
        for _ in 1..ATTEMPTS {
            match Self::try_start(mode, options).await {
                Ok(platform) => return platform,
                Err(log) if log.contains("cannot listen on") => {}
                Err(log) => panic!("{log}"),
            }
        }
        Self::try_start(mode, options).await.unwrap_or_else(|log| panic!("{log}"))
    }

    async fn try_start(mode: Mode, options: &Options) -> Result<Self, String> {
        let mut ports = Ports::claim();
        let folder = tempfile::tempdir().unwrap();
        let gateway = Http::new(ports.take());
        let mut server = settings_of_server(&gateway, folder.path(), options);
        let (mut redis, mut processes) = (None, Vec::new());
        if mode == Mode::Split {
            let server_of_redis = RedisServer::start_on(ports.take());
            let sync = format!("127.0.0.1:{}", ports.take());
            let addresses: Vec<(&str, Http)> = SERVICES.iter().map(|name| (*name, Http::new(ports.take()))).collect();
            server.extend([
                ("FLAGS_SYNC_ADDR", sync.clone()),
                ("INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
                ("REDIS_URL", server_of_redis.url()),
            ]);
            let dead = options.dead_addresses.then(|| ports.take());
            let urls: Vec<(&str, String)> = addresses
                .iter()
                .map(|(name, http)| match dead {
                    Some(port) => (*name, format!("http://127.0.0.1:{port},{}", http.base())),
                    None => (*name, http.base().to_owned()),
                })
                .collect();
            server.extend(urls.iter().map(|(name, url)| (url_setting(name), url.clone())));
            for (name, http) in &addresses {
                let mut settings = settings_of_service(name, http, folder.path(), &urls);
                settings.push(("FLAGS_SOURCE", format!("flagd://{sync}")));
                settings.push(("REDIS_URL", server_of_redis.url()));
                // By default it would be a server on the usual port, which is not this test's.
                settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", gateway.base().to_owned()));
                settings.extend(options.database_url.iter().map(|url| ("DATABASE_URL", url.clone())));
                settings.extend(options.settings.iter().cloned());
                processes.push(Process::new(name, http.clone(), settings, folder.path().join(format!("{name}.log"))));
            }
            if options.replicas {
                server.push(("ROLE", "console".to_owned()));
                for name in REPLICAS {
                    let http = Http::new(ports.take());
                    let mut settings = settings_of_replica(&http, options);
                    settings.extend(urls.iter().map(|(name, url)| (url_setting(name), url.clone())));
                    settings.push(("FLAGS_SOURCE", format!("flagd://{sync}")));
                    settings.push(("REDIS_URL", server_of_redis.url()));
                    settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", gateway.base().to_owned()));
                    settings.extend(options.settings.iter().cloned());
                    processes.push(Process::new(name, http, settings, folder.path().join(format!("{name}.log"))).of("server"));
                }
            }
            redis = Some(server_of_redis);
        }
        // First: it is the source of the others' flags.
        processes.insert(0, Process::new("server", gateway.clone(), server, folder.path().join("server.log")));
        for process in &mut processes {
            process.start();
        }
        for process in &mut processes {
            process.ready().await?;
        }
        Ok(Self { mode, http: gateway, processes: RefCell::new(processes), redis: RefCell::new(redis), folder, _ports: ports })
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.http)
    }

    /// A client of one process.
    pub fn door(&self, name: &str) -> Http {
        self.with_process(name, |process| process.http.clone())
    }

    /// Every process of ours that listens: name and a client of it.
    pub fn doors(&self) -> Vec<(&'static str, Http)> {
        self.processes.borrow().iter().map(|process| (process.name, process.http.clone())).collect()
    }

    /// Where the one process of an embedded platform keeps its files.
    pub fn data_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("server")
    }

    /// Changes what is in Redis behind everybody's back.
    pub async fn redis_set(&self, key: &str, value: &str) {
        let url = self.redis.borrow().as_ref().unwrap().url();
        let redis = runtime::store::redis::Redis::connect(&url).await.unwrap();
        testkit::redis_set(&redis, key, value).await;
    }

    /// The file of [`Options::flags_file`].
    pub fn write_flags(&self, text: &str) {
        std::fs::write(flags_file(self.folder.path()), text).unwrap();
    }

    /// The name of the process that a service runs in.
    fn process_of<'a>(&self, service: &'a str) -> &'a str {
        if self.mode == Mode::Embedded { "server" } else { service }
    }

    fn with_process<T>(&self, service: &str, act: impl FnOnce(&mut Process) -> T) -> T {
        let name = self.process_of(service);
        let mut processes = self.processes.borrow_mut();
        act(processes.iter_mut().find(|process| process.name == name).unwrap())
    }

    /// `kill -9` of the process that a service runs in.
    pub fn kill(&self, service: &str) {
        self.with_process(service, Process::kill);
    }

    /// Makes the process that a service runs in stand still: it listens, and answers nothing.
    pub fn hang(&self, service: &str) {
        self.with_process(service, |process| process.signal("STOP"));
    }

    pub fn go_on(&self, service: &str) {
        self.with_process(service, |process| process.signal("CONT"));
    }

    /// Starts what was killed again, with the same settings and on the same data, and waits until it is ready.
    pub async fn restart(&self, service: &str) {
        // Taken out, because nobody may hold the list across a wait.
        let name = self.process_of(service);
        let mut processes = self.processes.take();
        let process = processes.iter_mut().find(|process| process.name == name).unwrap();
        process.start();
        let ready = process.ready().await;
        self.processes.replace(processes);
        ready.unwrap_or_else(|log| panic!("{log}"));
    }

    /// Stops every process as a supervisor does; answers how each one ended.
    pub async fn stop(&self, deadline: Duration) -> Vec<(&'static str, std::process::ExitStatus)> {
        let mut processes = self.processes.take();
        let mut ends = Vec::new();
        for process in &mut processes {
            process.signal("TERM");
            ends.push((process.name, process.ended(deadline).await));
        }
        self.processes.replace(processes);
        ends
    }

    pub fn kill_redis(&self) {
        self.redis.borrow_mut().as_mut().unwrap().kill();
    }

    pub fn restart_redis(&self) {
        self.redis.borrow_mut().as_mut().unwrap().restart();
    }

    /// Makes Redis stand still: connections stay open, and nothing is answered.
    pub fn hang_redis(&self) {
        self.redis.borrow().as_ref().unwrap().signal("STOP");
    }

    pub fn redis_goes_on(&self) {
        self.redis.borrow().as_ref().unwrap().signal("CONT");
    }

    /// What the process of a service has logged so far.
    pub fn log_of(&self, service: &str) -> String {
        self.with_process(service, |process| process.log())
    }

    /// Names of the services that run in processes of their own, and are running.
    pub fn running_services(&self) -> Vec<&'static str> {
        let processes = self.processes.borrow();
        processes.iter().filter(|process| process.name != "server" && process.is_running()).map(|process| process.name).collect()
    }
}

fn flags_file(folder: &Path) -> std::path::PathBuf {
    folder.join("flags.json")
}

fn settings_of_server(http: &Http, folder: &Path, options: &Options) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("SITE_ADDR", http.authority().to_owned()),
        ("DATA_DIR", folder.join("server").display().to_string()),
        ("OPERATOR_TOKEN", OPERATOR_TOKEN.to_owned()),
        ("SEED", "1".to_owned()),
    ];
    if let Some(text) = options.flags_file {
        std::fs::write(flags_file(folder), text).unwrap();
        settings.push(("FLAGS_SOURCE", format!("file:{}", flags_file(folder).display())));
    }
    settings.extend(options.settings.iter().cloned());
    settings.extend(options.rate_limit.map(|limit| ("RATE_LIMIT", limit.to_string())));
    settings
}

fn settings_of_replica(http: &Http, options: &Options) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("ROLE", "web".to_owned()),
        ("SITE_ADDR", http.authority().to_owned()),
        ("INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
        ("SEED", "1".to_owned()),
    ];
    settings.extend(options.rate_limit.map(|limit| ("RATE_LIMIT", limit.to_string())));
    settings
}

fn settings_of_service(name: &str, http: &Http, folder: &Path, urls: &[(&str, String)]) -> Vec<(&'static str, String)> {
    let called: &[&str] = match name {
        "cart" => &["menu"],
        "order" => &["menu", "middleware", "cart"],
        _ => &[],
    };
    let mut settings = vec![
        ("LISTEN_ADDR", http.authority().to_owned()),
        ("DATA_DIR", folder.join(name).display().to_string()),
        ("INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
        ("SEED", "1".to_owned()),
    ];
    let needed = urls.iter().filter(|(name, _)| called.contains(name));
    settings.extend(needed.map(|(name, url)| (url_setting(name), url.clone())));
    settings
}

fn url_setting(service: &str) -> &'static str {
    match service {
        "menu" => "MENU_URL",
        "middleware" => "MIDDLEWARE_URL",
        "cart" => "CART_URL",
        "order" => "ORDER_URL",
        "user" => "USER_URL",
        "payment" => "PAYMENT_URL",
        "delivery" => "DELIVERY_URL",
        "notification" => "NOTIFICATION_URL",
        _ => unreachable!("{service} is no service"),
    }
}
