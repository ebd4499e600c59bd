//! flagd's sync service: where split services and flagd sidecars subscribe. A flip reaches every subscriber at once.

use super::control::FlagControl;
use super::proto::flag_sync_service_server::{FlagSyncService, FlagSyncServiceServer};
use super::proto::{
    FetchAllFlagsRequest, FetchAllFlagsResponse, GetMetadataRequest, GetMetadataResponse, SyncFlagsRequest, SyncFlagsResponse,
};
use futures::stream::{BoxStream, StreamExt};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Subscribers that vanished without a word are forgotten after this long, twice.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Serves until `stop`; open streams end with it.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(control: FlagControl, listener: TcpListener, stop: CancellationToken) -> Result<(), tonic::transport::Error> {
    let service = FlagSyncServiceServer::new(Sync { control, stop: stop.clone() });
    Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned())
        .await
}

struct Sync {
    control: FlagControl,
    stop: CancellationToken,
}

#[async_trait::async_trait]
impl FlagSyncService for Sync {
    type SyncFlagsStream = BoxStream<'static, Result<SyncFlagsResponse, Status>>;

    async fn sync_flags(&self, request: Request<SyncFlagsRequest>) -> Result<Response<Self::SyncFlagsStream>, Status> {
        tracing::info!(subscriber = request.get_ref().provider_id, "A subscriber follows the flags");
        // The stream begins with what is in force now.
        let messages = WatchStream::new(self.control.subscribe())
            .map(|now| Ok(SyncFlagsResponse { flag_configuration: now.document.as_ref().to_owned(), sync_context: None }))
            .take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(messages.boxed()))
    }

    async fn fetch_all_flags(&self, _: Request<FetchAllFlagsRequest>) -> Result<Response<FetchAllFlagsResponse>, Status> {
        Ok(Response::new(FetchAllFlagsResponse { flag_configuration: self.control.definitions().as_ref().to_owned() }))
    }

    async fn get_metadata(&self, _: Request<GetMetadataRequest>) -> Result<Response<GetMetadataResponse>, Status> {
        Ok(Response::new(GetMetadataResponse { metadata: Some(prost_types::Struct::default()) }))
    }
}
