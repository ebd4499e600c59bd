//! What any account book keeps of people.

use crate::books::{Books, account, email};
use contract::account::Address;
use contract::{CustomerName, Note, RestaurantId, Role};
use runtime::store::StoreError;
use std::time::Duration;
use testkit::MORNING;
use user::demo;
use user::store::{Change, Person};

pub async fn an_account_is_found_by_its_id_and_by_its_address(books: Books) {
    let mut ada = account("ada");
    ada.role = Role::Restaurant;
    ada.staff_of = Some(RestaurantId::new("dim-sun"));
    ada.courier_id = Some("berlin-09".to_owned());
    assert!(books.book.add(&ada, "hash").await.unwrap());
    let by_id = books.book.find(&ada.id).await.unwrap().unwrap();
    let by_email = books.book.by_email(&email("Ada@Example.com")).await.unwrap().unwrap();
    assert_eq!((by_id.account, by_id.password.as_deref()), (ada.clone(), Some("hash")));
    assert_eq!(by_email.account, ada);
    assert!(books.book.find("nobody").await.unwrap().is_none());
    assert!(books.book.by_email(&email("bo@example.com")).await.unwrap().is_none());
}

pub async fn an_address_has_one_account(books: Books) {
    books.with("ada").await;
    let mut other = account("ada");
    other.id = "another-id".to_owned();
    assert!(!books.book.add(&other, "hash").await.unwrap());
    assert!(books.book.find("another-id").await.unwrap().is_none());
}

pub async fn of_sixteen_accounts_with_one_address_one_is_made(books: Books) {
    let adding = (0..16).map(|n| {
        let (book, mut ada) = (books.book.clone(), account("ada"));
        ada.id = format!("id-{n}");
        tokio::spawn(async move { book.add(&ada, "hash").await.unwrap() })
    });
    let made = futures::future::join_all(adding).await.into_iter().filter(|added| *added.as_ref().unwrap()).count();
    assert_eq!(made, 1);
}

pub async fn a_change_of_profile_leaves_the_rest_as_it_was(books: Books) {
    let ada = books.with("ada").await;
    let addresses = vec![Address { id: "1".into(), label: "Home".into(), text: Note::parse("Moon Street 1").unwrap() }];
    let moved = Change { addresses: Some(addresses.clone()), ..Change::default() };
    let changed = books.book.change(&ada.id, &moved).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.addresses.len()), ("ada", 1));
    let renamed = Change { name: Some(CustomerName::parse("Countess").unwrap()), ..Change::default() };
    let changed = books.book.change(&ada.id, &renamed).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.addresses), ("Countess", addresses));
    assert_eq!(books.book.find(&ada.id).await.unwrap().unwrap().password.as_deref(), Some("ada"));
    assert!(books.book.change("nobody", &renamed).await.unwrap().is_none());
}

pub async fn text_of_any_script_is_kept(books: Books) {
    let mut account = account("zoe");
    account.name = CustomerName::parse("👩‍🚀 Zoë'); DROP TABLE accounts;--").unwrap();
    account.email = "žofie@příklad.cz".to_owned();
    assert!(books.book.add(&account, "hash").await.unwrap());
    assert_eq!(books.book.by_email(&email("žofie@příklad.cz")).await.unwrap().unwrap().account, account);
}

fn person(subject: &str) -> Person {
    Person {
        issuer: "https://login.example.com".to_owned(),
        subject: subject.to_owned(),
        email: "ada@example.com".to_owned(),
        name: CustomerName::parse("Ada of the issuer").unwrap(),
        role: Role::Customer,
        staff_of: None,
        courier_id: None,
    }
}

pub async fn a_person_of_an_issuer_has_one_account(books: Books) {
    let knowing = (0..8).map(|n| {
        let book = books.book.clone();
        tokio::spawn(async move { book.known(&person("ada"), &format!("id-{n}"), MORNING).await.unwrap().id })
    });
    let ids: Vec<String> = futures::future::join_all(knowing).await.into_iter().map(Result::unwrap).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let mut elsewhere = person("ada");
    elsewhere.issuer = "https://login.example.org".to_owned();
    assert_eq!(books.book.known(&elsewhere, "of another issuer", MORNING).await.unwrap().id, "of another issuer");
}

pub async fn what_the_issuer_says_later_counts(books: Books) {
    let first = books.book.known(&person("ada"), "id", MORNING).await.unwrap();
    let home = Address { id: "1".into(), label: "Home".into(), text: Note::parse("Moon Street 1").unwrap() };
    books.book.change(&first.id, &Change { addresses: Some(vec![home]), name: None }).await.unwrap();
    let mut staff = person("ada");
    (staff.role, staff.staff_of) = (Role::Restaurant, Some(RestaurantId::new("dim-sun")));
    let then = books.book.known(&staff, "another id", MORNING + Duration::from_secs(9)).await.unwrap();
    assert_eq!((then.id.as_str(), then.role, then.created_at), ("id", Role::Restaurant, MORNING));
    assert_eq!((then.staff_of, then.addresses.len()), (Some(RestaurantId::new("dim-sun")), 1));
    assert_eq!(books.book.known(&person("ada"), "id", MORNING).await.unwrap().role, Role::Customer);
}

pub async fn an_address_in_a_token_leads_to_nobodys_account(books: Books) {
    let own = books.with("ada").await;
    let of_the_issuer = books.book.known(&person("ada"), "of-the-issuer", MORNING).await.unwrap();
    assert_eq!((of_the_issuer.id.as_str(), of_the_issuer.email.as_str()), ("of-the-issuer", "ada@example.com"));
    assert_eq!(books.book.by_email(&email("ada@example.com")).await.unwrap().unwrap().account, own);
    assert!(books.book.find("of-the-issuer").await.unwrap().unwrap().password.is_none());
}

pub async fn the_demonstration_is_seeded_once_and_in_its_order(books: Books) {
    let accounts = demo::accounts(MORNING).unwrap();
    books.book.seed(&accounts, demo::PASSWORD_HASH).await.unwrap();
    let renamed = Change { name: Some(CustomerName::parse("Adele").unwrap()), ..Change::default() };
    books.book.change(&accounts[0].id, &renamed).await.unwrap();
    books.book.seed(&accounts, demo::PASSWORD_HASH).await.unwrap();
    let seeded = books.book.demo().await.unwrap();
    assert_eq!(seeded[0].name.as_str(), "Adele", "what people changed stays");
    assert_eq!(seeded[1..], accounts[1..]);
    assert!(seeded.iter().all(contract::account::Account::is_demo));
}

pub async fn a_reset_leaves_the_demonstration_as_it_began(books: Books) {
    let accounts = demo::accounts(MORNING).unwrap();
    books.book.seed(&accounts, demo::PASSWORD_HASH).await.unwrap();
    let bo = books.with("bo").await;
    books.book.known(&person("ada"), "of-the-issuer", MORNING).await.unwrap();
    let renamed = Change { name: Some(CustomerName::parse("Adele").unwrap()), addresses: Some(Vec::new()) };
    books.book.change(&accounts[0].id, &renamed).await.unwrap();
    assert!(books.book.set_password(&accounts[0].id, demo::PASSWORD_HASH, "other", None).await.unwrap());
    books.open(&accounts[0], "kept", MORNING).await;
    books.open(&bo, "gone", MORNING).await;
    books.book.reset(&accounts, demo::PASSWORD_HASH).await.unwrap();
    assert_eq!(books.book.demo().await.unwrap(), accounts);
    assert_eq!(books.book.find(&accounts[0].id).await.unwrap().unwrap().password.as_deref(), Some(demo::PASSWORD_HASH));
    assert!(books.book.find(&bo.id).await.unwrap().is_none() && books.book.find("of-the-issuer").await.unwrap().is_none());
    let long_ago = contract::Timestamp::from_millis(0);
    assert_eq!(books.whose("kept", long_ago).await, Some(accounts[0].id.clone()), "the presenter stays logged in");
    assert_eq!(books.whose("gone", long_ago).await, None);
}

pub async fn a_store_that_is_down_is_unavailable(books: Books) {
    let ada = books.with("ada").await;
    testkit::flip(&books.platform, "store-down", "all");
    assert!(matches!(books.book.find(&ada.id).await, Err(StoreError::Unavailable(_))));
    books.platform.flag_control().clear_all().unwrap();
    assert!(books.book.find(&ada.id).await.unwrap().is_some());
}
