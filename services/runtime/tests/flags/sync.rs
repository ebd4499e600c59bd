use super::*;
use runtime::flags::{Source, sync};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

const FLAG: &str = "middleware-unreachable";

struct Server {
    stop: CancellationToken,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Server {
    async fn start(control: &FlagControl, address: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(sync::serve(control.clone(), listener, stop.clone()));
        (Self { stop, task }, address)
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("streams end when the server stops").unwrap().unwrap();
    }
}

fn subscribe(address: SocketAddr) -> (FlagControl, Flags, DropGuard) {
    let (control, _) = control();
    let stop = CancellationToken::new();
    let _task = Source::Flagd(address.to_string()).follow(control.clone(), "order", stop.clone());
    let flags = flags(&control, "order");
    (control, flags, stop.drop_guard())
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn a_flip_and_its_end_reach_every_subscriber() {
    let (control, clock) = control();
    let (server, address) = Server::start(&control, any_port()).await;
    let subscribers = [subscribe(address), subscribe(address), subscribe(address)];
    flip(&control, FLAG, "all");
    for (_, flags, _) in &subscribers {
        becomes(flags, FLAG, Some("all")).await;
    }
    clock.advance(Duration::from_secs(600));
    control.tick();
    for (_, flags, _) in &subscribers {
        becomes(flags, FLAG, None).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_comes_late_knows_what_was_flipped_before() {
    let (control, _) = control();
    let (server, address) = Server::start(&control, any_port()).await;
    flip(&control, FLAG, "all");
    let (_control, flags, _stop) = subscribe(address);
    becomes(&flags, FLAG, Some("all")).await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_away_leaves_the_last_known_values_and_is_found_again() {
    let (control, _) = control();
    let (server, address) = Server::start(&control, any_port()).await;
    let (_control, flags, _stop) = subscribe(address);
    flip(&control, FLAG, "all");
    becomes(&flags, FLAG, Some("all")).await;
    server.stop().await;
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("all"));
    control.clear_all().unwrap();
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("all"));
    let (server, _) = Server::start(&control, address).await;
    becomes(&flags, FLAG, None).await;
    flip(&control, FLAG, "30-percent");
    becomes(&flags, FLAG, Some("30-percent")).await;
    server.stop().await;
}

#[tokio::test]
async fn a_subscriber_may_be_there_before_the_server() {
    let (server, address) = Server::start(&control().0, any_port()).await;
    server.stop().await;
    let (_control, flags, _stop) = subscribe(address);
    let (control, _) = control();
    flip(&control, FLAG, "all");
    let (server, _) = Server::start(&control, address).await;
    becomes(&flags, FLAG, Some("all")).await;
    server.stop().await;
}
