use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::ffi;

/// Two switches of libtorch that hold for the whole process. Tasks that want different ones cannot run at once: see [`MathGuard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MathMode {
    /// Only algorithms that give the same bits every time; an operation without one is an error. On the CPU all that training uses are
    /// such anyway.
    pub deterministic: bool,
    /// CUDA may round the factors of f32 products, convolutions and recurrent layers to TensorFloat-32 (10 bits of mantissa instead of 23).
    pub tf32: bool,
}

impl MathMode {
    /// The switches as they stand now, whoever set them: repeatable only where all is, rounded where anything may be.
    #[must_use]
    pub fn now() -> Self {
        let flags = flags();
        Self {
            deterministic: flags & DETERMINISTIC == DETERMINISTIC,
            tf32: flags & TENSOR_FLOAT_32 != 0,
        }
    }

    const fn flags(self) -> i32 {
        (if self.deterministic { DETERMINISTIC } else { 0 })
            | (if self.tf32 { TENSOR_FLOAT_32 } else { 0 })
    }
}

/// `ext.h`'s flags of repeatable algorithms, cuDNN's too. Without the one that writes every new tensor twice to show reads of memory that
/// nobody wrote: it costs time and repairs nothing.
const DETERMINISTIC: i32 = 1 | 2;
/// Those of `TensorFloat`-32. libtorch begins with it allowed in cuDNN and forbidden in products; a [`MathMode`] allows or forbids all.
const TENSOR_FLOAT_32: i32 = 8 | 16 | 32;

fn flags() -> i32 {
    let mut flags = 0;
    // SAFETY: a valid place for the result.
    let read = ffi::checked(unsafe { ffi::wf_math_flags_get(&raw mut flags) });
    read.expect("reading libtorch's own flags");
    flags
}

/// Only with the lock of [`SWITCHES`] held, so that one thread at a time does.
fn set_flags(flags: i32) {
    // SAFETY: takes a number; one thread at a time calls it.
    let set = ffi::checked(unsafe { ffi::wf_math_flags_set(flags) });
    set.expect("setting libtorch's own flags");
}

/// Holds the process to one [`MathMode`] until it is dropped. Any number of equal ones live at once; one that differs waits until all those
/// are gone. When the last one goes, the switches are what they were before the first.
///
/// Computing without a guard goes by whatever mode holds at that moment.
#[derive(Debug)]
pub struct MathGuard {
    _private: (),
}

/// How often somebody who waits is asked whether they still want to.
const PATIENCE: Duration = Duration::from_millis(100);

static SWITCHES: Mutex<Switches> =
    Mutex::new(Switches { now: None, waiting: VecDeque::new(), next_ticket: 0 });
/// Told whenever a guard or somebody who waits goes or comes to the front.
static CHANGED: Condvar = Condvar::new();

struct Switches {
    now: Option<Held>,
    /// Whoever waits, in the order in which they came.
    waiting: VecDeque<u64>,
    next_ticket: u64,
}

struct Held {
    mode: MathMode,
    guards: u64,
    /// What the flags were before.
    before: i32,
}

impl MathGuard {
    /// Waits until the process computes in this mode. Asks `keep_waiting` about ten times a second and gives up with `None` when it says no;
    /// does not ask where there is nothing to wait for. In the order of asking, so that no mode waits for ever.
    ///
    /// A thread that holds a guard must not ask for another mode: it would wait for itself.
    pub fn acquire(mode: MathMode, keep_waiting: impl Fn() -> bool) -> Option<Self> {
        let place = Place::take();
        loop {
            let mut switches = SWITCHES.lock();
            if switches.let_in(&place, mode) {
                return Some(Self { _private: () });
            }
            CHANGED.wait_for(&mut switches, PATIENCE);
            if switches.let_in(&place, mode) {
                return Some(Self { _private: () });
            }
            drop(switches);
            if !keep_waiting() {
                return None;
            }
        }
    }
}

impl Switches {
    fn let_in(&mut self, place: &Place, mode: MathMode) -> bool {
        if self.waiting.front() != Some(&place.ticket) {
            return false;
        }
        match &mut self.now {
            Some(held) if held.mode == mode => held.guards += 1,
            Some(_) => return false,
            None => {
                self.now = Some(Held { mode, guards: 1, before: flags() });
                set_flags(mode.flags());
            }
        }
        self.waiting.pop_front();
        CHANGED.notify_all();
        true
    }
}

impl Drop for MathGuard {
    fn drop(&mut self) {
        let mut switches = SWITCHES.lock();
        let Some(held) = &mut switches.now else { return };
        held.guards -= 1;
        if held.guards == 0 {
            set_flags(held.before);
            switches.now = None;
            CHANGED.notify_all();
        }
    }
}

/// A place in the queue, given up when it is dropped, also by a panic of whoever is asked.
struct Place {
    ticket: u64,
}

impl Place {
    fn take() -> Self {
        let mut switches = SWITCHES.lock();
        let ticket = switches.next_ticket;
        switches.next_ticket += 1;
        switches.waiting.push_back(ticket);
        Self { ticket }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut switches = SWITCHES.lock();
        switches.waiting.retain(|ticket| *ticket != self.ticket);
        CHANGED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use crossbeam_channel::bounded;
    use tch::{Kind, Tensor};

    use super::*;

    const PLAIN: MathMode = MathMode { deterministic: false, tf32: false };
    const STRICT: MathMode = MathMode { deterministic: true, tf32: false };
    const FAST: MathMode = MathMode { deterministic: false, tf32: true };

    fn acquire(mode: MathMode) -> MathGuard {
        MathGuard::acquire(mode, || true).unwrap()
    }

    /// `Tensor.put_` without accumulation has no repeatable algorithm.
    fn is_unrepeatable_refused() -> bool {
        let zeros = Tensor::zeros([4], (Kind::Float, tch::Device::Cpu));
        let index = Tensor::from_slice(&[1_i64]);
        zeros.f_put(&index, &Tensor::from_slice(&[1.0_f32]), false).is_err()
    }

    /// The switches belong to the process: one test, so that no other one of these runs beside it.
    #[test]
    fn equal_modes_share_others_wait_in_turn_and_the_last_restores() {
        let before = flags();

        // Each switch does something, and the end of a guard undoes it.
        let strict = acquire(STRICT);
        assert_eq!((MathMode::now(), is_unrepeatable_refused()), (STRICT, true));
        let second = acquire(STRICT);
        drop(strict);
        assert_eq!(MathMode::now(), STRICT, "one is left");
        drop(second);
        assert_eq!((flags(), is_unrepeatable_refused()), (before, false));
        let plain = acquire(PLAIN);
        assert_eq!(MathMode::now(), PLAIN);
        drop(plain);

        // Who gives up leaves no trace.
        let fast = acquire(FAST);
        let asked = AtomicU32::new(0);
        let refused = MathGuard::acquire(PLAIN, || asked.fetch_add(1, Ordering::Relaxed) < 2);
        assert!(refused.is_none());
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let panicked = std::panic::catch_unwind(|| MathGuard::acquire(PLAIN, || panic!("asked")));
        assert!(panicked.is_err());
        assert!(SWITCHES.lock().waiting.is_empty());
        drop(fast);

        in_turn();
        all_get_in();
        assert_eq!(flags(), before);
    }

    /// Somebody of the mode that holds does not pass by somebody who waits for another.
    fn in_turn() {
        let held = acquire(STRICT);
        let (entered, order) = bounded(2);
        thread::scope(|scope| {
            for (number, mode) in [(1, FAST), (2, STRICT)] {
                let entered = entered.clone();
                let wait = move || {
                    let _guard = acquire(mode);
                    entered.send((number, MathMode::now())).unwrap();
                };
                let builder = thread::Builder::new().name(format!("walkforge-test-{number}"));
                builder.spawn_scoped(scope, wait).unwrap();
                while SWITCHES.lock().waiting.len() < number {
                    thread::yield_now();
                }
            }
            assert!(order.try_recv().is_err(), "both wait");
            drop(held);
            assert_eq!(order.recv().unwrap(), (1, FAST));
            assert_eq!(order.recv().unwrap(), (2, STRICT));
        });
    }

    fn all_get_in() {
        let entries = AtomicU32::new(0);
        thread::scope(|scope| {
            for number in 0..8_usize {
                let mode = [PLAIN, STRICT, FAST][number % 3];
                let entries = &entries;
                let work = move || {
                    for _ in 0..50 {
                        let _guard = acquire(mode);
                        assert_eq!(MathMode::now(), mode);
                        entries.fetch_add(1, Ordering::Relaxed);
                    }
                };
                let builder = thread::Builder::new().name(format!("walkforge-test-{number}"));
                builder.spawn_scoped(scope, work).unwrap();
            }
        });
        assert_eq!(entries.load(Ordering::Relaxed), 8 * 50);
    }
}
