//! What a pipeline sees when a run cannot begin.

use std::net::TcpListener;
use std::process::{Command, Output};

fn loadgen(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).args(arguments).env_remove("TARGET_URL").output();
    output.unwrap_or_else(|error| panic!("loadgen cannot be started: {error}"))
}

#[test]
fn help_is_a_success() {
    let output = loadgen(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for word in ["--preset", "trickle", "smoke", "load", "stress", "REQUEST_RATE", "TARGET_URL", "69"] {
        assert!(text.contains(word), "{word} is missing in:\n{text}");
    }
}

#[test]
fn bad_arguments_are_64() {
    for arguments in [["--preset", "flood"], ["--users", "none"], ["--duration", "soon"], ["--host", "nowhere"]] {
        assert_eq!(loadgen(&arguments).status.code(), Some(64), "{arguments:?}");
    }
}

#[test]
fn a_target_that_does_not_answer_is_69_and_one_sentence() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = loadgen(&["--host", &format!("http://{address}")]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{text}");
    assert_eq!(text.trim().lines().count(), 1, "{text}");
    assert!(text.contains(&address.to_string()), "{text}");
}

#[test]
fn an_operator_token_in_the_environment_is_not_shown() {
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).arg("--help").env("OPERATOR_TOKEN", "s3cret").output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("s3cret"));
}
