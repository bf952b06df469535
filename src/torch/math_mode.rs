use std::collections::VecDeque;
use std::fmt;
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

/// Only with the lock of a [`Gate`] held, so that one thread at a time does.
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
    gate: &'static Gate,
}

/// How often somebody who waits is asked whether they still want to.
const PATIENCE: Duration = Duration::from_millis(100);

static PROCESS: Gate = Gate::new(flags, set_flags);

/// Lets holders of one mode through at a time.
struct Gate {
    switches: Mutex<Switches>,
    /// Told whenever a guard or somebody who waits goes or comes to the front.
    changed: Condvar,
    read: fn() -> i32,
    write: fn(i32),
}

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
    /// A thread that holds a guard must not ask for another mode: it would wait for itself. Nor for the same one again, if others may ask in
    /// between: it would wait for those.
    pub fn acquire(mode: MathMode, keep_waiting: impl Fn() -> bool) -> Option<Self> {
        PROCESS.acquire(mode, keep_waiting)
    }
}

impl Gate {
    const fn new(read: fn() -> i32, write: fn(i32)) -> Self {
        let switches = Switches { now: None, waiting: VecDeque::new(), next_ticket: 0 };
        Self { switches: Mutex::new(switches), changed: Condvar::new(), read, write }
    }

    fn acquire(
        &'static self,
        mode: MathMode,
        keep_waiting: impl Fn() -> bool,
    ) -> Option<MathGuard> {
        let place = Place::take(self);
        loop {
            let mut switches = self.switches.lock();
            if self.let_in(&mut switches, &place, mode) {
                return Some(MathGuard { gate: self });
            }
            self.changed.wait_for(&mut switches, PATIENCE);
            if self.let_in(&mut switches, &place, mode) {
                return Some(MathGuard { gate: self });
            }
            drop(switches);
            if !keep_waiting() {
                return None;
            }
        }
    }

    fn let_in(&self, switches: &mut Switches, place: &Place, mode: MathMode) -> bool {
        if switches.waiting.front() != Some(&place.ticket) {
            return false;
        }
        match &mut switches.now {
            Some(held) if held.mode == mode => held.guards += 1,
            Some(_) => return false,
            None => {
                switches.now = Some(Held { mode, guards: 1, before: (self.read)() });
                (self.write)(mode.flags());
            }
        }
        switches.waiting.pop_front();
        self.changed.notify_all();
        true
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Drop for MathGuard {
    fn drop(&mut self) {
        let mut switches = self.gate.switches.lock();
        let Some(held) = &mut switches.now else { return };
        held.guards -= 1;
        if held.guards == 0 {
            (self.gate.write)(held.before);
            switches.now = None;
            self.gate.changed.notify_all();
        }
    }
}

/// A place in the queue, given up when it is dropped, also by a panic of whoever is asked.
struct Place {
    gate: &'static Gate,
    ticket: u64,
}

impl Place {
    fn take(gate: &'static Gate) -> Self {
        let mut switches = gate.switches.lock();
        let ticket = switches.next_ticket;
        switches.next_ticket += 1;
        switches.waiting.push_back(ticket);
        Self { gate, ticket }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut switches = self.gate.switches.lock();
        switches.waiting.retain(|ticket| *ticket != self.ticket);
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
    use std::thread;

    use crossbeam_channel::bounded;
    use tch::{Kind, Tensor};

    use super::*;

    const PLAIN: MathMode = MathMode { deterministic: false, tf32: false };
    const STRICT: MathMode = MathMode { deterministic: true, tf32: false };
    const FAST: MathMode = MathMode { deterministic: false, tf32: true };

    /// `Tensor.put_` without accumulation has no repeatable algorithm.
    fn is_unrepeatable_refused() -> bool {
        let zeros = Tensor::zeros([4], (Kind::Float, tch::Device::Cpu));
        let index = Tensor::from_slice(&[1_i64]);
        zeros.f_put(&index, &Tensor::from_slice(&[1.0_f32]), false).is_err()
    }

    /// Other tests of this program may hold guards too, so nothing is said of the switches while this one holds none.
    #[test]
    fn the_switches_of_libtorch_follow_the_guard() {
        for mode in [STRICT, FAST, PLAIN] {
            let guard = MathGuard::acquire(mode, || true).unwrap();
            assert_eq!((MathMode::now(), is_unrepeatable_refused()), (mode, mode.deterministic));
            drop(guard);
        }
    }

    /// What libtorch begins with: nothing repeatable, cuDNN rounds, products do not.
    const AT_FIRST: i32 = 4 | 16 | 32;

    static FLAGS: AtomicI32 = AtomicI32::new(AT_FIRST);
    static GATE: Gate = Gate::new(read, |flags| FLAGS.store(flags, Ordering::SeqCst));

    fn read() -> i32 {
        FLAGS.load(Ordering::SeqCst)
    }

    fn acquire(mode: MathMode) -> MathGuard {
        GATE.acquire(mode, || true).unwrap()
    }

    /// One test, so that it has the gate for itself.
    #[test]
    fn equal_modes_share_others_wait_in_turn_and_the_last_restores() {
        let strict = acquire(STRICT);
        let second = acquire(STRICT);
        drop(strict);
        assert_eq!(read(), STRICT.flags(), "one is left");
        drop(second);
        assert_eq!(read(), AT_FIRST, "what no mode is made of comes back too");

        // Who gives up leaves no trace.
        let fast = acquire(FAST);
        let asked = AtomicU32::new(0);
        let refused = GATE.acquire(PLAIN, || asked.fetch_add(1, Ordering::Relaxed) < 2);
        assert!(refused.is_none());
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let panicked = std::panic::catch_unwind(|| GATE.acquire(PLAIN, || panic!("asked")));
        assert!(panicked.is_err());
        assert!(GATE.switches.lock().waiting.is_empty());
        drop(fast);

        in_turn();
        all_get_in();
        assert_eq!(read(), AT_FIRST);
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
                    entered.send((number, read())).unwrap();
                };
                let builder = thread::Builder::new().name(format!("walkforge-test-{number}"));
                builder.spawn_scoped(scope, wait).unwrap();
                while GATE.switches.lock().waiting.len() < number {
                    thread::yield_now();
                }
            }
            assert!(order.try_recv().is_err(), "both wait");
            drop(held);
            assert_eq!(order.recv().unwrap(), (1, FAST.flags()));
            assert_eq!(order.recv().unwrap(), (2, STRICT.flags()));
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
                        assert_eq!(read(), mode.flags());
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
