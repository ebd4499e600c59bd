//! What one process of the platform owns, however many serve the shop: flags, the telemetry store and its receiver, load, incidents, detection,
//! the audit log, resets, and the console that shows them. A web replica has none of it.

use crate::closing::Closing;
use crate::console::{self, Console, Marks, Operators, Room};
use crate::desk::Desk;
use crate::events::{self, Listeners};
use crate::incidents::{self, Incidents};
use crate::ledger::{self, Auditor};
use crate::load::{self, Load};
use crate::office::Office;
use crate::pages::BackRooms;
use crate::reset::{self, Reset};
use crate::telemetry::{Door, Observatory};
use axum::Router;
use axum::routing::get;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::flags::{api, ofrep};
use std::net::SocketAddr;
use std::sync::Arc;

/// What the owner is started with.
#[derive(Clone, Copy)]
pub struct Keys<'k> {
    pub operator_token: &'k str,
    pub telemetry: &'k Observatory,
}

pub struct Owner {
    pub operators: Operators,
    pub console: Console,
    /// What operators' pages and calls are answered by.
    pub judged: Router,
    /// Where other processes send: asked several times a second, outside of the layers that judge, behind a door of its own.
    pub doors: Router,
    /// What the console's pages need of each request.
    pub rooms: BackRooms,
}

impl Owner {
    /// Starts all of it; it goes on by itself until the process ends.
    ///
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn start(platform: &Platform, keys: Keys<'_>, address: SocketAddr, closing: Closing) -> Result<Self, BootError> {
        let (telemetry, loopback) = (keys.telemetry, address.ip().is_loopback());
        let operators = Operators::new(keys.operator_token);
        let flags = platform.flag_control().clone();
        let listeners = Listeners::new(platform)?;
        let begin_anew = Reset::new(platform, listeners.clone(), closing)?;
        let auditor = Auditor::new(platform)?;
        let load = Load::new(platform);
        let incidents = Incidents::start(platform, load.clone(), incidents::books_of(auditor.clone()));
        let parts = console::Parts {
            store: telemetry.store.clone(),
            marks: Marks::new(platform.clock.clone()),
            auditor: auditor.clone(),
            load: load.clone(),
            incidents: incidents.clone(),
        };
        let console = Console::start(platform, parts);
        let room = Room::new(console.clone(), address);
        telemetry.watch_metrics(platform);

        let rooms = BackRooms {
            desk: Arc::new(Desk(flags.clone())),
            office: Arc::new(Office { auditor: auditor.clone(), listeners: listeners.clone(), reset: begin_anew.clone() }),
            room: Arc::new(room.clone()),
        };
        let judged = Router::new()
            .route("/console", get(console::sign_in).with_state(operators.clone()))
            .merge(api::router(flags.clone()))
            .merge(ofrep::router(flags))
            .merge(ledger::router(auditor))
            .merge(events::router(listeners))
            .merge(reset::router(begin_anew))
            .merge(load::router(load.clone()))
            .merge(incidents::router(incidents))
            .merge(console::router(room.clone()))
            .merge(telemetry.router(room));
        let door = Door { loopback, token: platform.internal_token(), operators: operators.clone() };
        let doors = telemetry.receiver(door.clone()).merge(load::reports(load, door));
        Ok(Self { operators, console, judged, doors, rooms })
    }
}
