use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the work; a panic in it becomes a message for the user, and the thread goes on.
pub(super) fn contain_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What the work shares with others is read-only data, locks that do not poison, and logs whose state no work can leave half changed.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| describe(panic.as_ref()))
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("an internal error: {message}; whatever else runs goes on; please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_with_its_message() {
        let message = |panicking: fn()| contain_panic(panicking).unwrap_err();
        assert!(message(|| panic!("index {}", 3)).contains("index 3"));
        assert!(message(|| panic!("plain")).contains("plain"));
        assert!(message(|| std::panic::panic_any(7)).contains("no message"));
        assert_eq!(contain_panic(|| 1), Ok(1));
    }
}
