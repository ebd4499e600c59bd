//! Cart and menu in processes of their own, beside the server and on a Redis: what a flip has to reach.

use crate::bench::Bench;
use crate::server::{Extra, Running};
use anyhow::{Context, Result};
use std::process::{Child, Command, Stdio};

/// Everything that was started; it ends with this value.
pub struct Split {
    pub server: Running,
    _cart: Running,
    _menu: Running,
    _redis: Redis,
}

struct Redis(Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Split {
    /// Nothing where there is no `redis-server`.
    ///
    /// # Errors
    /// A program does not start.
    pub async fn start(bench: &Bench, name: &str) -> Result<Option<Self>> {
        let port = Running::free_port()?;
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let Ok(redis) = redis.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else { return Ok(None) };
        let redis = (Redis(redis), format!("redis://127.0.0.1:{port}"));
        let sync = format!("127.0.0.1:{}", Running::free_port()?);
        let flags = format!("flagd://{sync}");
        let alone = |service: &'static str, extra: &[(&str, &str)]| {
            let settings = [("REDIS_URL", redis.1.as_str()), ("FLAGS_SOURCE", flags.as_str())];
            Running::service(bench, service, name, &[&settings, extra].concat())
        };
        let mut menu = alone("menu", &[])?;
        menu.connect().await.context("menu")?;
        let menu_url = format!("http://{}", menu.address);
        let mut cart = alone("cart", &[("MENU_URL", &menu_url)])?;
        cart.connect().await.context("cart")?;
        let cart_url = format!("http://{}", cart.address);
        let settings: Extra<'_> = &[("REDIS_URL", &redis.1), ("MENU_URL", &menu_url), ("CART_URL", &cart_url), ("FLAGS_SYNC_ADDR", &sync)];
        let server = Running::server_with(bench, name, settings).await?;
        Ok(Some(Self { server, _cart: cart, _menu: menu, _redis: redis.0 }))
    }
}
