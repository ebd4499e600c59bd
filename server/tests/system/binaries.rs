//! What a person sees who starts a binary: `--help`, and one sentence when a setting is wrong.

use crate::harness::{Ports, SERVICES, clean_command};
use std::process::Output;
use testkit::RedisServer;

fn run(binary: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    clean_command(binary).args(arguments).current_dir(folder.path()).envs(settings.iter().copied()).output().unwrap()
}

#[test]
fn help_of_every_binary_names_its_variables() {
    let every = [
        "REDIS_URL",
        "DATABASE_URL",
        "DATA_DIR",
        "MENU_URL",
        "CART_URL",
        "MIDDLEWARE_URL",
        "ORDER_URL",
        "FLAGS_SOURCE",
        "INTERNAL_TOKEN",
        "SEED",
        "LOG_FORMAT",
    ];
    let of_server = ["SITE_ADDR", "OPERATOR_TOKEN", "FLAGS_SYNC_ADDR", "RATE_LIMIT", "TRUSTED_PROXIES"];
    for binary in ["server"].into_iter().chain(SERVICES) {
        // Secrets in the environment are not printed.
        let output =
            run(binary, &["--help"], &[("INTERNAL_TOKEN", "s3cret"), ("OPERATOR_TOKEN", "s3cret"), ("REDIS_URL", "redis://:s3cret@x")]);
        let help = String::from_utf8(output.stdout).unwrap();
        // Long lines are broken anywhere.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(output.status.success() && help.contains("Feast Flow") && !help.contains("s3cret"), "{binary}: {help}");
        let own: &[&str] = if binary == "server" { &of_server } else { &["LISTEN_ADDR"] };
        for variable in every.iter().chain(own) {
            assert!(help.contains(&format!("[env: {variable}")), "{binary} --help does not name {variable}");
        }
    }
    assert!(run("loadgen", &["--help"], &[]).status.success());
    assert!(run("server", &["--version"], &[]).status.success());
}

/// Exit code 64, and one sentence that names the variable and tells no secret.
#[track_caller]
fn assert_refused(binary: &str, settings: &[(&str, &str)], variable: &str) {
    let output = run(binary, &[], settings);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{binary} {settings:?}: {said}");
    assert!(said.contains(variable) && !said.contains("panicked") && !said.contains("s3cret"), "{binary} {settings:?}: {said}");
    assert_eq!(said.trim().lines().count(), 1, "{binary} {settings:?}: {said}");
}

#[test]
fn a_setting_that_is_set_to_nothing_is_absent() {
    let shared = "REDIS_URL DATABASE_URL DATA_DIR MENU_URL CART_URL MIDDLEWARE_URL ORDER_URL USER_URL PAYMENT_URL DELIVERY_URL \
                  NOTIFICATION_URL FLAGS_SOURCE INTERNAL_TOKEN OIDC_ISSUER SEED LOG_FORMAT";
    let of_server = "OPERATOR_TOKEN FLAGS_SYNC_ADDR LAN RATE_LIMIT TRUSTED_PROXIES";
    let of_load = "TARGET_URL LOAD_PRESET REPORT_DIR SEED OPERATOR_TOKEN INTERNAL_TOKEN";
    let nothing = |names: &'static str| names.split_whitespace().map(|name| (name, "")).collect::<Vec<_>>();
    // The one that is wrong is found, so that all the others were taken.
    let mut settings = nothing(shared);
    settings.extend(nothing(of_server));
    settings.push(("SITE_ADDR", "nowhere"));
    assert_refused("server", &settings, "SITE_ADDR");
    let mut settings = nothing(shared);
    settings.push(("LISTEN_ADDR", "nowhere"));
    assert_refused("menu", &settings, "LISTEN_ADDR");
    let mut settings = nothing(of_load);
    settings.push(("REQUEST_RATE", "often"));
    let output = run("loadgen", &[], &settings);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(64) && said.contains("--request-rate"), "{said}");
}

#[test]
fn a_wrong_setting_is_one_sentence_that_names_it_and_exit_code_64() {
    let redis = RedisServer::start();
    let redis = redis.url();
    let nobody = format!("redis://:s3cret@127.0.0.1:{}", Ports::claim().take());
    let menu = ("MENU_URL", "http://127.0.0.1:1");
    assert_refused("cart", &[menu], "REDIS_URL");
    assert_refused("middleware", &[], "REDIS_URL");
    assert_refused("cart", &[menu, ("REDIS_URL", &nobody)], "REDIS_URL");
    assert_refused("middleware", &[("REDIS_URL", &nobody)], "REDIS_URL");
    assert_refused("server", &[("REDIS_URL", &nobody)], "REDIS_URL");
    assert_refused("server", &[("REDIS_URL", "http://x")], "REDIS_URL");
    for service in SERVICES.into_iter().filter(|service| *service != "user") {
        assert_refused(service, &[], "REDIS_URL");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = ("DATA_DIR", folder.path().to_str().unwrap());
    assert_refused("order", &[("REDIS_URL", &redis), data], "CART_URL");
    assert_refused("order", &[("REDIS_URL", &redis), data, ("CART_URL", "http://127.0.0.1:1")], "MENU_URL");
    for wrong in ["127.0.0.1:3003", "https://cart", "ftp://cart", "http://", "http://a b"] {
        assert_refused("server", &[("CART_URL", wrong)], "CART_URL");
    }
    for wrong in ["file:", "flagd://", "flagd://host", "http://flags", "flags.json"] {
        for binary in ["server", "menu"] {
            assert_refused(binary, &[("FLAGS_SOURCE", wrong)], "FLAGS_SOURCE");
        }
    }
    assert_refused("server", &[("SITE_ADDR", "nowhere")], "SITE_ADDR");
    assert_refused("menu", &[("LISTEN_ADDR", "3004"), ("REDIS_URL", &redis)], "LISTEN_ADDR");
    assert_refused("menu", &[("LISTEN_ADDR", "0.0.0.0:0")], "INTERNAL_TOKEN");
    assert_refused("server", &[("DATABASE_URL", "mysql://x")], "DATABASE_URL");
    assert_refused("server", &[("DATABASE_URL", "postgres://feast:s3cret@127.0.0.1:1/feast")], "DATABASE_URL");
    assert_refused("server", &[("DATA_DIR", "/dev/null/x")], "DATA_DIR");
    assert_refused("server", &[("FLAGS_SYNC_ADDR", "x")], "FLAGS_SYNC_ADDR");
}

#[test]
fn an_argument_that_is_unknown_or_of_the_wrong_kind_is_exit_code_64() {
    for binary in ["server"].into_iter().chain(SERVICES) {
        for arguments in [["--no-such-flag", ""], ["--seed", "many"], ["--log-format", "xml"]] {
            assert_eq!(run(binary, &arguments[..], &[]).status.code(), Some(64), "{binary} {arguments:?}");
        }
    }
}

#[test]
fn an_address_that_is_taken_is_one_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_refused("server", &[("SITE_ADDR", &address)], "SITE_ADDR");
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let settings = [("LISTEN_ADDR", &*address), ("REDIS_URL", &redis.url()), ("DATA_DIR", folder.path().to_str().unwrap())];
    assert_refused("menu", &settings, "LISTEN_ADDR");
}
