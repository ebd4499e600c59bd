//! The demonstration's accounts: one of each role, and one for every restaurant. Their log-ins count on loopback only.

use contract::account::{Account, Address};
use contract::{ApiError, CustomerName, Note, RestaurantId, Role, Timestamp};

/// The password of all of them, for programs; people press a button.
pub const PASSWORD: &str = "feast-demo";

/// Made beforehand, so that the first start does not wait for it.
pub const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$ZmVhc3QtZmxvdyBkZW1vIQ$nqtifwHMrQxxVHabNjBS8PCz+FHVhCyRJG2BG5a7OmM";

/// Restaurants of the menus that the platform comes with, in their order. The service does not know the menu service's crate; a test of
/// the server holds the two together.
pub const RESTAURANTS: [(&str, &str); 10] = [
    ("cosmic-coffee", "Cosmic Coffee"),
    ("event-horizon-ramen", "Event Horizon Ramen"),
    ("orbita-pizzeria", "Órbita Pizzeria"),
    ("asteroid-belt-taqueria", "Asteroid Belt Taquería"),
    ("masala-mission-control", "Masala Mission Control"),
    ("houston-burgers", "Houston, We Have a Burger"),
    ("the-big-dipper", "The Big Dipper"),
    ("dim-sun", "Dim Sun"),
    ("greenhouse-module", "Greenhouse Module"),
    ("absolute-zero-gelato", "Absolute Zero Gelato"),
];

/// Kim rides as this courier.
pub const COURIER: &str = "berlin-01";

/// All of them, in the order they are shown.
///
/// # Errors
/// Never with our constants.
pub fn accounts(now: Timestamp) -> Result<Vec<Account>, ApiError> {
    let made = |id: &str, name: &str, role| -> Result<Account, ApiError> {
        Ok(Account {
            id: format!("{}{id}", Account::DEMO),
            email: format!("{id}@demo.feast"),
            name: CustomerName::parse(name)?,
            role,
            staff_of: None,
            courier_id: None,
            addresses: Vec::new(),
            created_at: now,
        })
    };
    let mut ada = made("ada", "Ada", Role::Customer)?;
    ada.addresses = vec![Address { id: "1".to_owned(), label: "Home".to_owned(), text: Note::parse("Moon Street 1, Berlin")? }];
    let mut all = vec![ada];
    for (id, name) in RESTAURANTS {
        let mut staff = made(id, name, Role::Restaurant)?;
        staff.staff_of = Some(RestaurantId::new(id));
        all.push(staff);
    }
    let mut kim = made("kim", "Kim", Role::Courier)?;
    kim.courier_id = Some(COURIER.to_owned());
    all.push(kim);
    all.push(made("olive", "Olive", Role::Operator)?);
    Ok(all)
}
