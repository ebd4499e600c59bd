//! `--lan`: the shop for everybody in the room, by a code on the wall.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// An address of documentation (RFC 5737). Nothing is sent to it: it only tells which of our addresses the way out begins at.
const SOMEWHERE_ELSE: &str = "192.0.2.1:9";

/// The address others reach this machine under; `None` without a network.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(SOMEWHERE_ELSE).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

/// Shows how the audience gets to the shop.
#[expect(clippy::print_stdout, reason = "this is for the people in the room")]
pub fn invite(address: SocketAddr) {
    let ip = if address.ip().is_unspecified() { own_address() } else { Some(address.ip()) };
    let Some(ip) = ip else {
        println!("  This machine has no network: nobody else can reach the shop.");
        println!();
        return;
    };
    let shop = format!("http://{}/", SocketAddr::new(ip, address.port()));
    println!("  Everybody in this network can order at {shop}");
    if let Some(code) = code(&shop) {
        println!();
        println!("{code}");
    }
    println!();
}

/// As text, two modules a character, dark on light so that cameras read it in a dark terminal too.
fn code(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    Some(code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shops_address_fits_on_the_wall() {
        let code = super::code("http://192.168.100.200:3000/").unwrap();
        assert!(code.lines().count() <= 20 && code.lines().all(|line| line.chars().count() <= 40), "{code}");
    }
}
