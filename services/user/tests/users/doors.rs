//! Signing up, logging in, staying logged in, as the gateway sees it.

use crate::people::{PASSWORD, Users, as_account, as_guest, as_operator, from};
use contract::account::{ChangePassword, ChangeProfile, LogIn, NewAddress, Password, SignUp};
use contract::{ApiError, Code, CustomerName, Note, Role};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn code<T>(outcome: Result<T, ApiError>) -> Option<Code> {
    outcome.err().map(|error| error.code)
}

#[tokio::test]
async fn whoever_signs_up_is_logged_in_and_logs_in_again_with_the_password_alone() {
    let users = Users::start().await;
    let first = users.sign_up("Ada").await.unwrap();
    assert_eq!((first.account.email.as_str(), first.account.role), ("ada@example.com", Role::Customer));
    assert_eq!(users.whose(&first.token).await.unwrap(), first.account);
    let again = users.log_in(" ADA@example.com ", PASSWORD).await.unwrap();
    assert_eq!(again.account, first.account);
    assert_ne!(again.token.expose(), first.token.expose());
    as_guest(users.client.log_out(again.token.expose())).await.unwrap();
    assert_eq!(code(users.whose(&again.token).await), Some(Code::Unauthorized));
    assert!(users.whose(&first.token).await.is_ok(), "the other log-in goes on");
    as_guest(users.client.log_out(again.token.expose())).await.unwrap();
}

#[tokio::test]
async fn an_address_and_a_password_that_are_none_are_refused_and_one_that_is_taken_too() {
    let users = Users::start().await;
    users.sign_up("ada").await.unwrap();
    assert_eq!(code(users.sign_up("ADA").await), Some(Code::EmailTaken));
    let request = |email: &str, password: &str| SignUp {
        email: email.to_owned(),
        name: CustomerName::parse("Bo").unwrap(),
        password: Password::new(password),
    };
    for (email, password, expected) in [
        ("bo", PASSWORD, Code::InvalidAccount),
        ("bo@example.com", "short", Code::InvalidAccount),
        ("bo@demo.feast", PASSWORD, Code::EmailTaken),
    ] {
        assert_eq!(code(as_guest(users.client.sign_up(&request(email, password))).await), Some(expected), "{email} {password}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let users = Users::start().await;
    users.sign_up("ada").await.unwrap();
    let wrong = users.log_in("ada@example.com", "not the password").await.unwrap_err();
    let unknown = users.log_in("bo@example.com", PASSWORD).await.unwrap_err();
    let no_address = users.log_in("bo", PASSWORD).await.unwrap_err();
    assert_eq!((wrong.code, wrong.status), (Code::WrongPassword, 401));
    assert_eq!([&unknown.message, &no_address.message], [&wrong.message, &wrong.message]);
    assert_eq!(code(users.log_in("nobody@example.com", user::demo::PASSWORD).await), Some(Code::WrongPassword));
}

#[tokio::test]
async fn passwords_are_tried_ten_times_a_minute_for_one_address_from_wherever() {
    let users = Users::start().await;
    let request = LogIn { email: "ada@example.com".to_owned(), password: Password::new("short") };
    for n in 0..10 {
        let outcome = from(&format!("192.0.2.{n}"), users.client.log_in(&request)).await;
        assert_eq!(code(outcome), Some(Code::WrongPassword));
    }
    let refused = from("198.51.100.1", users.client.log_in(&request)).await.unwrap_err();
    assert_eq!((refused.code, refused.status, refused.retry_after_s), (Code::RateLimited, 429, Some(60)));
    users.clock.advance(Duration::from_secs(60));
    assert_eq!(code(as_guest(users.client.log_in(&request)).await), Some(Code::WrongPassword));
}

#[tokio::test]
async fn a_log_in_that_is_used_goes_on_and_one_that_is_not_ends_after_thirty_days() {
    let users = Users::start().await;
    let (used, unused) = (users.sign_up("ada").await.unwrap().token, users.log_in("ada@example.com", PASSWORD).await.unwrap().token);
    users.clock.advance(DAY * 29);
    assert!(users.whose(&used).await.is_ok());
    users.clock.advance(DAY);
    assert!(users.whose(&used).await.is_ok());
    assert_eq!(code(users.whose(&unused).await), Some(Code::Unauthorized));
}

#[tokio::test]
async fn an_account_is_read_and_changed_by_its_owner_and_for_others_it_does_not_exist() {
    let users = Users::start().await;
    let (ada, bo) = (users.sign_up("ada").await.unwrap().account, users.sign_up("bo").await.unwrap().account);
    let home = NewAddress { label: " Home ".into(), text: Note::parse("Moon Street 1").unwrap() };
    let change = ChangeProfile { name: Some(CustomerName::parse("Countess").unwrap()), addresses: Some(vec![home]) };
    let changed = as_account(&ada, users.client.change_profile(&ada.id, &change)).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.addresses[0].label.as_str(), changed.addresses[0].id.as_str()), ("Countess", "Home", "1"));
    assert_eq!(as_account(&ada, users.client.account(&ada.id)).await.unwrap(), changed);
    assert_eq!(as_operator(users.client.account(&ada.id)).await.unwrap(), changed);
    let password = ChangePassword { current: Password::new(PASSWORD), new: Password::new("another one"), keep: None };
    assert_eq!(code(as_account(&bo, users.client.account(&ada.id)).await), Some(Code::AccountNotFound));
    assert_eq!(code(as_guest(users.client.account(&ada.id)).await), Some(Code::AccountNotFound));
    assert_eq!(code(as_account(&bo, users.client.change_profile(&ada.id, &change)).await), Some(Code::AccountNotFound));
    assert_eq!(code(as_account(&bo, users.client.change_password(&ada.id, &password)).await), Some(Code::AccountNotFound));
    assert!(users.log_in("ada@example.com", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_change_of_password_needs_the_old_one_and_ends_the_other_log_ins() {
    let users = Users::start().await;
    let here = users.sign_up("ada").await.unwrap();
    let elsewhere = users.log_in("ada@example.com", PASSWORD).await.unwrap().token;
    let change = |current: &str, new: &str| ChangePassword {
        current: Password::new(current),
        new: Password::new(new),
        keep: Some(here.token.clone()),
    };
    let ask = async |change: ChangePassword| as_account(&here.account, users.client.change_password(&here.account.id, &change)).await;
    assert_eq!(code(ask(change("wrong", "a new password")).await), Some(Code::WrongPassword));
    assert_eq!(code(ask(change(PASSWORD, "short")).await), Some(Code::InvalidAccount));
    assert!(users.whose(&elsewhere).await.is_ok());
    ask(change(PASSWORD, "a new password")).await.unwrap();
    assert!(users.whose(&here.token).await.is_ok());
    assert_eq!(code(users.whose(&elsewhere).await), Some(Code::Unauthorized));
    assert_eq!(code(users.log_in("ada@example.com", PASSWORD).await), Some(Code::WrongPassword));
    assert!(users.log_in("ada@example.com", "a new password").await.is_ok());
}

#[tokio::test]
async fn the_demonstration_logs_in_without_a_password_and_nobody_else_does() {
    let users = Users::start().await;
    let demo = as_guest(users.client.demo()).await.unwrap();
    let roles = |role| demo.iter().filter(|account| account.role == role).count();
    assert_eq!(Role::ALL.map(roles), [1, 10, 1, 1]);
    for account in &demo {
        let entered = as_guest(users.client.demo_log_in(&account.id)).await.unwrap();
        assert_eq!(&users.whose(&entered.token).await.unwrap(), account);
    }
    let kim = demo.iter().find(|account| account.role == Role::Courier).unwrap();
    assert_eq!((kim.email.as_str(), kim.courier_id.as_deref()), ("kim@demo.feast", Some("berlin-01")));
    let ada = users.sign_up("ada").await.unwrap().account;
    assert_eq!(code(as_guest(users.client.demo_log_in(&ada.id)).await), Some(Code::AccountNotFound));
    assert!(users.log_in("ada@demo.feast", user::demo::PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_reset_is_the_operators() {
    let users = Users::start().await;
    let ada = users.sign_up("ada").await.unwrap();
    assert_eq!(code(as_account(&ada.account, users.client.reset()).await), Some(Code::Unauthorized));
    as_operator(users.client.reset()).await.unwrap();
    assert_eq!(code(users.whose(&ada.token).await), Some(Code::Unauthorized));
    assert!(users.sign_up("ada").await.is_ok());
}

#[tokio::test]
async fn a_call_that_is_not_our_own_gets_nothing() {
    let users = Users::start().await;
    let nobody = runtime::context::RequestContext::default();
    let outcome = runtime::context::scope(std::sync::Arc::new(nobody), users.client.demo_log_in("demo-olive")).await;
    assert_eq!(code(outcome), Some(Code::Forbidden));
}
