use super::*;
use crate::spec::{DEFAULT_PRESET, load};

fn starts() -> Starts {
    Starts::new(Arc::new(Mailbox::new(|| {})))
}

fn experiment(name: &str) -> What {
    let spec = ExperimentSpec { name: name.to_owned(), ..load(DEFAULT_PRESET).unwrap() };
    What::New { spec: Box::new(spec), sweep: None }
}

fn name(start: &Start) -> &str {
    match &start.what {
        What::New { spec, .. } | What::Sweep(spec) => &spec.name,
        What::Stored(run) => run.as_str(),
        What::Stop => "stop",
    }
}

/// Asks for a sweep and puts so many variants, `sweep 0` and on, in its place.
fn sweep(starts: &Starts, of: &str, variants: usize) {
    let spec = ExperimentSpec { name: of.to_owned(), ..load(DEFAULT_PRESET).unwrap() };
    assert!(starts.add(What::Sweep(Box::new(spec))).is_ok());
    let planning = starts.next(|_| true).unwrap();
    assert_eq!(name(&planning), of);
    let all = (0..variants).map(|variant| experiment(&format!("{of} {variant}"))).collect();
    assert!(starts.replace(&planning, all));
}

/// What comes next, as long as something may.
fn given_out(starts: &Starts, has_room: impl Fn(&Start) -> bool + Copy) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(start) = starts.list.lock().take_next(has_room) {
        names.push(name(&start).to_owned());
    }
    names
}

#[test]
fn requests_take_turns_and_variants_of_a_sweep_come_in_order() {
    let starts = starts();
    sweep(&starts, "a", 4);
    assert_eq!(name(&starts.next(|_| true).unwrap()), "a 0");
    for single in ["x", "y"] {
        assert!(starts.add(experiment(single)).is_ok());
    }
    sweep(&starts, "b", 2);
    // Asked for at the same turn, so in the order of asking; then each in its turn.
    assert_eq!(given_out(&starts, |_| true), ["x", "y", "b 0", "a 1", "b 1", "a 2", "a 3"]);
}

#[test]
fn what_keeps_being_asked_for_does_not_keep_a_sweep_waiting() {
    let starts = starts();
    sweep(&starts, "a", 3);
    let mut names = Vec::new();
    for round in 0..6 {
        assert!(starts.add(experiment(&format!("x{round}"))).is_ok());
        names.push(name(&starts.next(|_| true).unwrap()).to_owned());
    }
    assert_eq!(names, ["a 0", "x0", "x1", "a 1", "x2", "x3"]);
}

#[test]
fn a_higher_priority_comes_first_and_takes_room_that_others_may_not() {
    let starts = starts();
    sweep(&starts, "a", 2);
    for single in ["x", "y"] {
        assert!(starts.add(experiment(single)).is_ok());
    }
    let number = |wanted: &str| {
        let list = starts.list.lock();
        list.waiting.iter().find(|start| name(start) == wanted).unwrap().number
    };
    let (y, a1) = (number("y"), number("a 1"));
    starts.prioritise(|number| number == y, Priority::High);
    starts.prioritise(|number| number == a1, Priority::Low);
    let only_high = |start: &Start| start.priority == Priority::High;
    assert_eq!(given_out(&starts, only_high), ["y"]);
    assert_eq!(given_out(&starts, |_| true), ["a 0", "x", "a 1"]);
}

#[test]
fn what_was_cancelled_is_answered_without_room_and_a_stop_only_after_it() {
    let starts = starts();
    for single in ["x", "y"] {
        assert!(starts.add(experiment(single)).is_ok());
    }
    starts.cancel(|number| number == 1);
    assert_eq!(given_out(&starts, |_| false), ["y"]);
    starts.cancel(|_| true);
    assert!(starts.add(What::Stop).is_ok());
    assert!(starts.add(experiment("later")).is_ok());
    assert_eq!(given_out(&starts, |_| false), ["x", "stop"]);
    assert_eq!(given_out(&starts, |_| true), ["later"]);
}

#[test]
fn one_that_is_handed_over_is_no_longer_given_up() {
    let starts = starts();
    assert!(starts.add(experiment("x")).is_ok());
    let start = starts.next(|_| true).unwrap();
    starts.hand_over(|| ());
    starts.cancel(|_| true);
    assert!(!start.cancel.is_cancelled(), "its run is stopped as a run");
    assert!(starts.add(experiment("y")).is_ok());
    let start = starts.next(|_| true).unwrap();
    starts.cancel(|_| true);
    assert!(start.cancel.is_cancelled());
    assert!(!starts.replace(&start, vec![experiment("z")]));
    starts.close();
    assert!(starts.add(experiment("late")).is_err());
    assert!(starts.next(|_| true).is_none());
}
