//! flagd's sync stream: the server's own, or a real flagd's. Kept alive, and reconnected for ever.

use super::Outage;
use crate::flags::control::FlagControl;
use crate::flags::proto::SyncFlagsRequest;
use crate::flags::proto::flag_sync_service_client::FlagSyncServiceClient;
use std::time::Duration;
use tonic::transport::Endpoint;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// An idle stream is asked this often whether it is still there: a peer that vanished without a word is noticed in seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
/// Short, because a fault that an operator cleared must be gone a second after the connection is back.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error("no connection")]
    Connect(#[from] tonic::transport::Error),
    #[error("the stream broke: {}", .0.code())]
    Broken(#[from] tonic::Status),
    #[error("the stream ended")]
    Ended,
}

pub async fn follow(authority: String, control: FlagControl, subscriber: &'static str) {
    let mut outage = Outage::new(format!("flagd://{authority}"));
    let mut back_off = FIRST_BACK_OFF;
    loop {
        let mut received = 0_u64;
        let error = match stream(&authority, &control, subscriber, &mut outage, &mut received).await {
            Ok(()) => StreamError::Ended,
            Err(error) => error,
        };
        outage.failed(&error);
        if received > 0 {
            back_off = FIRST_BACK_OFF;
        }
        tokio::time::sleep(back_off).await;
        back_off = (back_off * 2).min(LONGEST_BACK_OFF);
    }
}

async fn stream(
    authority: &str,
    control: &FlagControl,
    subscriber: &str,
    outage: &mut Outage,
    received: &mut u64,
) -> Result<(), StreamError> {
    let channel = Endpoint::from_shared(format!("http://{authority}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect()
        .await?;
    let request = SyncFlagsRequest { provider_id: subscriber.to_owned(), selector: String::new() };
    let mut messages = FlagSyncServiceClient::new(channel).sync_flags(request).await?.into_inner();
    while let Some(message) = messages.message().await? {
        *received += 1;
        match control.replace_definitions(&message.flag_configuration) {
            Ok(()) => outage.worked(),
            Err(error) => outage.failed(&error),
        }
    }
    Ok(())
}
