//! `--help` of every command, and the completions of every shell.

use std::process::{Command, Stdio};

use crate::program::{Scratch, assert_snapshot};

/// Snapshots of help texts by name, each of some commands.
const HELP: [(&str, &[&str]); 9] = [
    ("cli_help", &[""]),
    ("cli_help_train", &["train", "plan"]),
    ("cli_help_window", &["window"]),
    (
        "cli_help_data",
        &["data", "data inspect", "data check-leaks", "data cache", "data cache clear"],
    ),
    ("cli_help_features", &["features", "features list"]),
    (
        "cli_help_runs",
        &[
            "runs",
            "runs list",
            "runs show",
            "runs compare",
            "runs resume",
            "runs delete",
            "runs annotate",
            "runs export",
        ],
    ),
    (
        "cli_help_models",
        &[
            "models",
            "models list",
            "models show",
            "models register",
            "models promote",
            "models archive",
            "models annotate",
            "models remove",
            "models predict",
        ],
    ),
    ("cli_help_export", &["export", "predict"]),
    ("cli_help_machine", &["devices", "doctor", "completions"]),
];

#[test]
fn help_says_what_there_is_and_every_command_has_its_own() {
    let scratch = Scratch::new();
    for (name, commands) in HELP {
        let texts: Vec<(String, String)> = commands
            .iter()
            .map(|command| {
                let arguments = format!("{command} --help").trim_start().to_owned();
                let done = scratch.run(&arguments).exits(0);
                assert_eq!(done.err, "");
                for line in done.out.lines() {
                    assert!(line.chars().count() <= 100, "`{arguments}`: {line}");
                }
                assert_listed_commands_are_known(command, &done.out);
                (arguments, done.out)
            })
            .collect();
        let parts: Vec<(&str, &str)> =
            texts.iter().map(|(title, text)| (title.as_str(), text.as_str())).collect();
        assert_snapshot(name, &parts, &[]);
    }
    let version = scratch.run("--version").exits(0).out;
    assert_eq!(version, concat!("walkforge ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Every command that a help text lists has its own help in a snapshot.
#[track_caller]
fn assert_listed_commands_are_known(command: &str, help: &str) {
    let Some((_, listed)) = help.split_once("\nCommands:\n") else {
        assert!(!["", "runs", "models", "data"].contains(&command), "`{command}` lists commands");
        return;
    };
    let listed = listed.lines().take_while(|line| line.starts_with("  "));
    let names = listed.filter(|line| !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        let path = format!("{command} {name}");
        let is_known = HELP.iter().any(|(_, commands)| commands.contains(&path.trim()));
        assert!(name == "help" || is_known, "`{path}` is not looked at");
    }
}

#[test]
fn completions_are_scripts_that_their_shells_read() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = scratch.run(&format!("completions {shell}")).exits(0);
        assert_eq!(done.err, "");
        for word in ["resume", "tensorboard", "doctor", "check-leaks"] {
            assert!(done.out.contains(word), "{shell} completes no `{word}`");
        }
        scratch.write(&format!("completions.{shell}"), &done.out);
    }
    let read = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", script]).stderr(Stdio::piped());
        bash.output().expect("bash starts")
    };
    let path = scratch.path("completions.bash");
    let syntax = read(&format!("bash -n '{}'", path.display()));
    assert!(syntax.status.success() && syntax.stderr.is_empty(), "{syntax:?}");
    // Sourced, it completes.
    let completed = read(&format!(
        "source '{}'; COMP_WORDS=(walkforge runs re); COMP_CWORD=2; _walkforge walkforge re runs; echo \"${{COMPREPLY[@]}}\"",
        path.display()
    ));
    assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "resume", "{completed:?}");
    let _unknown = scratch.run("completions tcsh").exits(2);
}
