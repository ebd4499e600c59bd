//! Logging in and out, and what an account keeps.

use super::browser::Browser;
use contract::Code;

async fn logged_in(id: &str) -> Browser {
    let mut browser = Browser::new();
    browser.post("/login/demo", &format!("id={id}")).await.is(303);
    browser
}

#[tokio::test]
async fn logging_in_shows_the_name_and_logging_out_takes_it_away() {
    let mut browser = Browser::new();
    browser.get("/").await.says("href=\"/login\"");
    let seen = browser.post("/login", "email=ada%40feast.example&password=correct+horse&next=%2Forders").await;
    assert_eq!((seen.status, seen.to.as_str()), (303, "/orders"));
    browser.get("/orders").await.says("You are logged in.").says("Ada &lt;Lovelace&gt;").says("href=\"/account\"");
    browser.post("/logout", "").await.is(303);
    assert!(!browser.get("/").await.says("You are logged out.").html.contains("Lovelace"));
}

#[tokio::test]
async fn a_wrong_password_is_told_beside_the_address_and_never_shown_again() {
    let mut browser = Browser::new();
    for email in ["ada%40feast.example", "nobody%40feast.example"] {
        let seen = browser.post("/login", &format!("email={email}&password=hunter2&next=%2Forders")).await;
        seen.is(401).says("do not belong together").says(&email.replace("%40", "@")).says("name=\"next\" value=\"/orders\"");
        assert!(!seen.html.contains("hunter2"));
    }
    browser.breaks("user.log_in", Code::RateLimited);
    browser.post("/login", "email=a&password=b").await.is(429).says("Take a breath");
    browser.breaks("user.log_in", Code::ServiceUnavailable);
    let seen = browser.post("/login", "email=a&password=hunter2").await;
    seen.is(503).says("We lost contact").says("href=\"/login\"");
    assert!(!seen.html.contains("hunter2"));
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_after_logging_in() {
    for next in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", ""] {
        let form = format!("email=ada%40feast.example&password=correct+horse&next={next}");
        assert_eq!(Browser::new().post("/login", &form).await.to, "/");
    }
}

#[tokio::test]
async fn a_demo_account_is_one_click_away_and_begins_where_its_work_is() {
    let mut browser = Browser::new();
    browser.get("/login").await.is(200).says("For a demonstration").says("value=\"cook\"").says("Couriers");
    for (id, home, link) in
        [("ada", "/", "Orders"), ("cook", "/restaurant", "Kitchen"), ("zoe", "/courier", "Rides"), ("op", "/console/flags", "Console")]
    {
        let seen = browser.post("/login/demo", &format!("id={id}")).await;
        assert_eq!((seen.status, seen.to.as_str()), (303, home));
        browser.get("/about").await.says(&format!("href=\"{}\"", if home == "/" { "/orders" } else { home })).says(link);
    }
    browser.post("/login/demo", "id=somebody").await.is(404);
    browser.world().accounts.clear();
    browser.cookies.clear();
    assert!(!browser.get("/login").await.is(200).html.contains("For a demonstration"));
}

#[tokio::test]
async fn an_account_is_made_and_what_is_wrong_with_it_is_told() {
    let mut browser = Browser::new();
    browser.get("/signup").await.is(200);
    let form = |name: &str, email: &str, password: &str| format!("name={name}&email={email}&password={password}&next=%2Fcheckout");
    browser.post("/signup", &form("New", "ada%40feast.example", "long+enough")).await.is(409).says("already").says("value=\"New\"");
    browser.post("/signup", &form("New", "new%40feast.example", "short")).await.is(400).says("8 to 200 characters");
    browser.post("/signup", &form("+", "new%40feast.example", "long+enough")).await.is(400).says("tell us your name");
    let seen = browser.post("/signup", &form("New", "new%40feast.example", "long+enough")).await;
    assert_eq!((seen.status, seen.to.as_str()), (303, "/checkout"));
    browser.get("/account").await.is(200).says("Welcome aboard").says("new@feast.example");
}

#[tokio::test]
async fn an_account_is_for_whoever_is_logged_in() {
    let mut browser = Browser::new();
    assert_eq!(browser.get("/account").await.to, "/login?next=%2Faccount");
    for path in ["/account/name", "/account/addresses", "/account/addresses/a1/remove", "/account/password"] {
        browser.post(path, "name=New&label=Home&text=There&current=x&new=long+enough").await.is(401);
    }
}

#[tokio::test]
async fn name_and_addresses_are_kept_and_go() {
    let mut browser = logged_in("ada").await;
    browser.post("/account/name", "name=Countess").await.is(303);
    browser.post("/account/addresses", "label=Beach&text=Sand+3").await.is(303);
    browser.get("/account").await.says("Countess").says("Sand 3").says("Orbit Road 7");
    browser.post("/account/addresses/b0/remove", "").await.is(303);
    let seen = browser.get("/account").await;
    assert!(!seen.says("The address is removed").says("Sand 3").html.contains("Orbit Road 7"));
    browser.post("/account/addresses", "label=&text=Somewhere").await.is(400).says("has a text and a label").says("value=\"Somewhere\"");
    browser.post("/account/name", "name=").await.is(400).says("tell us your name");
}

#[tokio::test]
async fn preferences_are_boxes_and_a_box_that_is_not_ticked_is_off() {
    let mut browser = logged_in("ada").await;
    browser.get("/account").await.says("name=\"sms\" value=\"on\" checked");
    browser.post("/account/preferences", "email=on").await.is(303);
    let told = browser.world().preferences;
    assert_eq!((told.email, told.sms, told.push), (true, false, false));
    browser.breaks("notification.preferences", Code::ServiceUnavailable);
    browser.get("/account").await.is(200).says("cannot be reached at the moment");
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let mut browser = logged_in("ada").await;
    browser.post("/account/password", "current=wrong+horse&new=long+enough").await.is(401).says("The current password is another one");
    browser.post("/account/password", "current=correct+horse&new=short").await.is(400).says("8 to 200 characters");
    browser.post("/account/password", "current=correct+horse&new=long+enough").await.is(303);
}
