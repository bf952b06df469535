use super::*;
use crate::domain::{ContentHash, Device, RunId, Score, Setting, SweepId, SweepMember};
use crate::runs::RunStatus;

fn entry() -> RunEntry {
    let setting = |path: &str, value: &str| Setting { path: path.into(), value: value.into() };
    RunEntry {
        id: RunId::new("20260114-160000-mlp-btc-0007"),
        experiment: "mlp-btc".to_owned(),
        spec: ContentHash::of(b""),
        created: "2026-01-14T16:00:20Z".parse().unwrap(),
        ended: Some("2026-01-14T16:12:20Z".parse().unwrap()),
        status: RunStatus::Finished,
        device: Device::Cuda(1),
        tasks: 34,
        finished: 30,
        failed: 0,
        sweep: Some(SweepMember {
            sweep: SweepId::new("s-1"),
            variant: 0,
            variants: 2,
            settings: vec![setting("training.learning_rate", "0.001"), setting("seed", "7")],
        }),
        score: Some(Score {
            ic_ts: Some(0.02),
            sharpe: Some(1.324),
            total_return: Some(0.051),
            ..Score::default()
        }),
        tags: vec!["Best".to_owned(), "wide".to_owned()],
        notes: "try longer training next".to_owned(),
        path: std::path::PathBuf::new(),
    }
}

fn fits(text: &str) -> bool {
    let query: RunQuery = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let entry = entry();
    query.fits(&entry, &search_text(&entry), "finished")
}

#[test]
fn every_term_must_hold() {
    for text in [
        "",
        "  ",
        "mlp",
        "MLP best",
        "\"longer training\"",
        "-\"training longer\"",
        "-gru",
        "0.001",
    ] {
        assert!(fits(text), "{text}");
    }
    for text in ["gru", "mlp gru", "-mlp", "mlp -best", "\"training longer\"", "12:30"] {
        assert!(!fits(text), "{text}");
    }
}

#[test]
fn columns_are_compared_as_what_they_hold() {
    for text in [
        "status:finished",
        "STATUS=Finished",
        "-status:failed",
        "tag:bes",
        "tag=best",
        "tags!=be",
        "-tag:narrow",
        "name:btc",
        "preset:mlp",
        "note:\"longer training\"",
        "device:cuda",
        "sweep=s-1",
        "sharpe > 1",
        "sharpe>1 sharpe <2",
        "sharpe=1.32",
        "sharpe!=1.33",
        "ic>=0.02",
        "ic:0.02",
        "net_return>5%",
        "return=5.1%",
        "tasks=34 finished<34 failed=0",
        "tasks>3e1",
        "hit_rate!=50%",
        "started=2026-01-14",
        "started=2026-1-14",
        "started>2026-01-13",
        "started>=2026-01-14",
        "started<=2026-01-14",
        "started=\"2026-01-14 16:00\"",
        "started<2026-01-14T16:01",
        "duration=12m",
        "duration<0.5h",
        "duration>=12min",
        "training.learning_rate=0.001",
        "training.learning_rate=1e-3",
        "training.learning_rate<0.01",
        "seed=7",
        "seed<10",
    ] {
        assert!(fits(text), "{text}");
    }
    for text in [
        "status:failed",
        "tag=bes",
        "tag!=best",
        "sharpe>1.4",
        "sharpe=1.3240001",
        "tasks<34",
        "hit_rate>0",
        "hit_rate<1",
        "started>2026-01-14",
        "started<2026-01-14",
        "duration>12m",
        "training.learning_rate=0.0011",
        "model.hidden=8",
        "seed>7",
    ] {
        assert!(!fits(text), "{text}");
    }
}

#[test]
fn what_is_no_query_says_where_and_what_to_write() {
    for (text, said) in [
        ("lstm sharp > 1", "character 6: `sharp` is no column; did you mean sharpe?"),
        ("xyz:1", "character 1: `xyz` is no column; columns are name, experiment, status, tag"),
        ("sharpe >", "character 1: `sharpe >` needs a value after it"),
        ("tag: ", "`tag:` needs a value after it"),
        ("sharpe:high", "sharpe needs a number, as 0.02 or 5%, and `high` is none"),
        ("tag>x", "tag is a text: write tag:x"),
        ("status:broken", "no run is ever `broken`; expected one of running"),
        ("status=fail", "no run is ever `fail`; expected one of running"),
        ("started>monday", "started needs a day, as 2026-01-31, or a minute"),
        ("duration>10", "duration needs a length, as 30s, 10m, 2h or 1d"),
        ("\"open", "the quotes are not closed"),
        ("a -", "character 3: `-` needs a term after it"),
        ("- a", "`-` needs a term right after it"),
        ("sharpe>>1", "has two operators"),
    ] {
        let error = text.parse::<RunQuery>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn words_are_words_whatever_they_look_like() {
    let entry = entry();
    let found = |words: &str| RunQuery::of_words(words).fits(&entry, &search_text(&entry), "");
    assert!(found("SEED=7") && found("20260114-160000-mlp-btc-0007"));
    assert!(!found("-gru"));
    assert!("12:30".parse::<RunQuery>().is_ok(), "no column begins with a digit");
    assert!("status:failed".parse::<RunQuery>().unwrap().asks_for_status());
    assert!(!"failed".parse::<RunQuery>().unwrap().asks_for_status());
}

#[test]
fn every_example_is_a_query() {
    for column in RunQuery::columns() {
        assert!(column.example.parse::<RunQuery>().is_ok(), "{}", column.example);
        assert!(column.example.starts_with(column.name), "{}", column.example);
    }
}

#[test]
fn what_has_not_ended_has_no_end() {
    let running = RunEntry { ended: None, score: None, sweep: None, ..entry() };
    let fits = |text: &str| text.parse::<RunQuery>().unwrap().fits(&running, "", "running");
    for text in ["ended>2020-01-01", "duration<1d", "sharpe<9", "seed=7"] {
        assert!(!fits(text), "{text}");
        assert!(fits(&format!("-{text}")), "{text}");
    }
    assert!(fits("ended!=2026-01-14") && fits("sharpe!=1") && fits("seed!=7"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_query_or_an_error(text in ".{0,40}") {
        if let Err(error) = text.parse::<RunQuery>() {
            proptest::prop_assert!(error.at.start < text.chars().count());
        }
    }
}
