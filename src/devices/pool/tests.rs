use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use proptest::prelude::*;

use super::book::PASSES;
use super::*;

fn card(index: u32, limit: u64, slots: u32) -> PoolDevice {
    PoolDevice { device: Device::Cuda(index), limit: Some(Bytes(limit)), slots }
}

const ANY: DeviceSet = DeviceSet { bits: 0 };

const fn alone(bytes: u64) -> Request {
    Request { bytes: Bytes(bytes), shared: None, on: ANY }
}

const fn sharing(bytes: u64, key: u64, shared: u64) -> Request {
    Request { bytes: Bytes(bytes), shared: Some((key, Bytes(shared))), on: ANY }
}

fn leased(pool: &DevicePool) -> Vec<(u64, u32)> {
    pool.usage().iter().map(|device| (device.leased.0, device.tasks)).collect()
}

#[test]
fn the_least_loaded_device_comes_first_and_everything_comes_back() {
    let pool = DevicePool::new(vec![card(0, 100, 4), card(1, 200, 4)]);
    let now = |bytes| pool.try_lease(alone(bytes)).unwrap().unwrap();
    let first = now(50);
    assert_eq!((first.device(), first.bytes()), (Device::Cuda(0), Bytes(50)));
    let leases = [now(50), now(30), now(40)];
    // 50 of 200 is less than 50 of 100; so is 80 of 200.
    assert!(leases.iter().all(|lease| lease.device() == Device::Cuda(1)));
    assert_eq!(leased(&pool), [(50, 1), (120, 3)]);
    assert!(pool.try_lease(alone(90)).unwrap().is_none(), "50 and 80 are free");
    drop(first);
    assert_eq!(now(90).device(), Device::Cuda(0));
    drop(leases);
    assert_eq!(leased(&pool), [(0, 0), (0, 0)]);
}

#[test]
fn what_tasks_share_is_counted_once_per_device_and_goes_with_the_last() {
    let pool = DevicePool::new(vec![card(0, 100, 9)]);
    let lease = |request| pool.try_lease(request).unwrap();
    let first = lease(sharing(10, 7, 60)).unwrap();
    let second = lease(sharing(10, 7, 60)).unwrap();
    assert_eq!(leased(&pool), [(80, 2)]);
    assert!(lease(sharing(10, 8, 60)).is_none(), "other data has no room beside it");
    drop(first);
    assert_eq!(leased(&pool), [(70, 1)]);
    drop(second);
    assert_eq!(leased(&pool), [(0, 0)]);
    assert!(lease(sharing(10, 8, 60)).is_some());
}

#[test]
fn a_request_takes_only_the_devices_it_may_use() {
    let pool = DevicePool::new(vec![card(0, 100, 4), card(1, 1_000, 4)]);
    let only = |index| Request { on: DeviceSet::of(&[Device::Cuda(index)]), ..alone(50) };
    let held: Vec<_> = (0..2).map(|_| pool.try_lease(only(0)).unwrap().unwrap()).collect();
    assert!(held.iter().all(|lease| lease.device() == Device::Cuda(0)));
    assert!(pool.try_lease(only(0)).unwrap().is_none(), "the other card is not for it");
    let large = Request { bytes: Bytes(500), ..only(0) };
    assert!(matches!(pool.try_lease(large), Err(Refused::NeverFits { .. })));
    pool.mark_lost(Device::Cuda(0), "fell off the bus");
    let refused = pool.try_lease(only(0)).unwrap_err().to_string();
    assert!(
        refused.contains("cuda:0: fell off the bus") && !refused.contains("cuda:1"),
        "{refused}"
    );
    assert!(pool.try_lease(alone(50)).unwrap().is_some());
}

#[test]
fn an_offer_made_beside_others_never_takes_anything_away() {
    let pool = DevicePool::new(Vec::new());
    pool.measured_alone(&[card(0, 100, 1)]);
    let limits = || pool.usage().iter().map(|device| device.limit).collect::<Vec<_>>();
    let held = pool.try_lease(alone(60)).unwrap().unwrap();
    pool.offer(&[card(0, 40, 2), card(1, 10, 1)]);
    assert_eq!(limits(), [Some(Bytes(100)), Some(Bytes(10))]);
    assert!(pool.try_lease(alone(40)).unwrap().is_some(), "a second slot was offered");
    drop(held);
    pool.offer(&[card(0, 40, 2)]);
    assert!(
        pool.try_lease(alone(90)).unwrap().is_some(),
        "a gap between two tasks changes nothing"
    );
    pool.measured_alone(&[card(0, 40, 2)]);
    assert!(matches!(pool.try_lease(alone(41)), Err(Refused::NeverFits { .. })));
}

#[test]
fn slots_limit_tasks_and_a_device_of_unknown_size_takes_one() {
    let unknown = PoolDevice { device: Device::Mps, limit: None, slots: 8 };
    let pool = DevicePool::new(vec![card(0, 100, 2), unknown]);
    let held: Vec<DeviceLease> =
        std::iter::from_fn(|| pool.try_lease(alone(10)).unwrap()).collect();
    assert_eq!((held.len(), leased(&pool)), (3, vec![(20, 2), (10, 1)]));
    drop(held);
    let huge = pool.try_lease(alone(1_000)).unwrap().unwrap();
    assert_eq!(huge.device(), Device::Mps, "only what is unknown could take it");
}

#[test]
fn what_never_fits_is_told_with_the_largest_budget() {
    let pool = DevicePool::new(vec![card(0, 100, 1), card(1, 300, 1)]);
    let refused = pool.lease(sharing(200, 1, 150), &Cancel::new()).unwrap_err();
    let expected =
        Refused::NeverFits { needed: Bytes(350), limit: Bytes(300), device: Device::Cuda(1) };
    assert_eq!(refused, expected);
    assert!(refused.to_string().contains("cuda:1 has a budget of 300 B"), "{refused}");
    pool.mark_lost(Device::Cuda(1), "an illegal memory access");
    let refused = pool.try_lease(alone(200)).unwrap_err();
    assert!(matches!(refused, Refused::NeverFits { limit: Bytes(100), .. }), "{refused}");
}

#[test]
fn a_lost_device_is_left_alone_and_when_all_are_lost_waiters_are_told() {
    let pool = DevicePool::new(vec![card(0, 100, 1), card(1, 100, 1)]);
    let first = pool.try_lease(alone(100)).unwrap().unwrap();
    pool.mark_lost(Device::Cuda(0), "an illegal memory access");
    pool.mark_lost(Device::Cuda(0), "a later complaint");
    let second = pool.try_lease(alone(100)).unwrap().unwrap();
    assert_eq!(second.device(), Device::Cuda(1));
    drop(first);
    assert!(pool.try_lease(alone(1)).unwrap().is_none(), "what came back is not lent again");
    assert_eq!(pool.usage()[0].lost.as_deref(), Some("an illegal memory access"));
    thread::scope(|scope| {
        let wait = || pool.lease(alone(1), &Cancel::new()).unwrap_err().to_string();
        let thread = thread::Builder::new().name("walkforge-test-waiter".to_owned());
        let waiter = thread.spawn_scoped(scope, wait).unwrap();
        while pool.shared.book.lock().waiting().is_empty() {
            thread::yield_now();
        }
        pool.mark_lost(Device::Cuda(1), "ECC");
        let told = waiter.join().unwrap();
        assert!(told.contains("cuda:0: an illegal memory access; cuda:1: ECC"), "{told}");
        assert!(told.contains("start Walkforge again"), "{told}");
    });
}

#[test]
fn cancelling_ends_the_wait_and_gives_up_the_place() {
    let pool = DevicePool::new(vec![card(0, 100, 2)]);
    let held = pool.try_lease(alone(50)).unwrap();
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let wait = || pool.lease(alone(100), &cancel).map(drop);
        let thread = thread::Builder::new().name("walkforge-test-waiter".to_owned());
        let waiter = thread.spawn_scoped(scope, wait).unwrap();
        while pool.shared.book.lock().waiting().is_empty() {
            thread::yield_now();
        }
        cancel.cancel();
        assert_eq!(waiter.join().unwrap(), Err(Refused::Cancelled));
    });
    assert!(pool.shared.book.lock().waiting().is_empty());
    assert_eq!(pool.lease(alone(1), &cancel).map(drop), Err(Refused::Cancelled));
    drop(held);
    assert_eq!(leased(&pool), [(0, 0)]);
}

#[test]
fn a_large_task_is_passed_a_few_times_and_then_the_device_is_kept_for_it() {
    let mut book = Book::new(vec![card(0, 100, 9), card(1, 10, 9)]);
    let start = |book: &mut Book, request| {
        let ticket = book.enqueue(request);
        let verdict = book.settle(ticket);
        let is_waiting = book.waiting().contains(&ticket);
        (ticket, verdict.map(|verdict| matches!(verdict, Verdict::Start { .. })), is_waiting)
    };
    assert_eq!(start(&mut book, alone(60)).1, Some(true));
    let (large, verdict, _) = start(&mut book, alone(100));
    assert_eq!(verdict, None, "there are 40 left");
    for _ in 0..PASSES {
        assert_eq!(start(&mut book, alone(20)).1, Some(true), "it could not start anyway");
        book.release(0, &alone(20));
    }
    let (small, verdict, is_waiting) = start(&mut book, alone(20));
    assert_eq!((verdict, is_waiting), (None, true), "enough of that");
    // The other device is of no use to the large one.
    assert_eq!(start(&mut book, alone(10)).1, Some(true));
    book.release(0, &alone(60));
    assert_eq!(book.settle(small), None, "the large one has waited longer");
    assert!(book.settle(large).is_some());
    assert_eq!(book.settle(small), None);
    book.release(0, &alone(100));
    assert!(book.settle(small).is_some());
}

/// What may happen to a pool. Numbers choose among what there is at that moment.
#[derive(Debug, Clone)]
enum Happening {
    Asks(Request),
    Ends(prop::sample::Index),
    GivesUp(prop::sample::Index),
    IsLost(u32),
}

fn request() -> impl Strategy<Value = Request> {
    let shared = prop::option::of((0..3_u64, (1..40_u64).prop_map(Bytes)));
    (0..130_u64, shared).prop_map(|(bytes, shared)| Request {
        bytes: Bytes(bytes),
        shared,
        on: ANY,
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => request().prop_map(Happening::Asks),
        4 => any::<prop::sample::Index>().prop_map(Happening::Ends),
        1 => any::<prop::sample::Index>().prop_map(Happening::GivesUp),
        1 => (0..3_u32).prop_map(Happening::IsLost),
    ]
}

/// A pool, and beside it what it ought to know, counted anew after every happening.
struct Model {
    book: Book,
    limits: Vec<Bytes>,
    slots: Vec<u32>,
    lost: Vec<bool>,
    running: Vec<(usize, Request)>,
    waiting: Vec<(u64, Request, u32)>,
}

impl Model {
    fn new(devices: Vec<PoolDevice>) -> Self {
        Self {
            limits: devices.iter().map(|device| device.limit.unwrap()).collect(),
            slots: devices.iter().map(|device| device.slots.max(1)).collect(),
            lost: vec![false; devices.len()],
            book: Book::new(devices),
            running: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Asks(request) => {
                let ticket = self.book.enqueue(*request);
                self.waiting.push((ticket, *request, 0));
            }
            Happening::Ends(which) if !self.running.is_empty() => {
                let (device, request) = self.running.swap_remove(which.index(self.running.len()));
                self.book.release(device, &request);
            }
            Happening::GivesUp(which) if !self.waiting.is_empty() => {
                let (ticket, ..) = self.waiting.remove(which.index(self.waiting.len()));
                self.book.leave(ticket);
            }
            Happening::IsLost(index) if (*index as usize) < self.lost.len() => {
                self.lost[*index as usize] = true;
                self.book.mark_lost(Device::Cuda(*index), "lost");
            }
            _ => {}
        }
        self.let_in();
    }

    /// Asks for everybody, as threads do that were woken in some order: here the youngest first, which is the hardest on the eldest.
    fn let_in(&mut self) {
        loop {
            let before = self.waiting.len();
            for position in (0..before).rev() {
                let (ticket, request, _) = self.waiting[position];
                match self.book.settle(ticket) {
                    None => continue,
                    Some(Verdict::Start { device, .. }) => {
                        assert!(!self.lost[device], "started on a device that is lost");
                        for earlier in &mut self.waiting[..position] {
                            if earlier.1.total() <= self.limits[device] {
                                earlier.2 += 1;
                                assert!(earlier.2 <= PASSES, "passed for ever: {earlier:?}");
                            }
                        }
                        self.running.push((device, request));
                    }
                    Some(Verdict::Refuse(refused)) => self.check_refusal(&request, &refused),
                }
                self.waiting.remove(position);
            }
            if self.waiting.len() == before {
                return;
            }
        }
    }

    fn check_refusal(&self, request: &Request, refused: &Refused) {
        let mut left = (0..self.limits.len()).filter(|device| !self.lost[*device]);
        match refused {
            Refused::AllLost { .. } => assert_eq!(left.next(), None),
            Refused::NeverFits { .. } => {
                assert!(left.all(|device| request.total() > self.limits[device]));
            }
            Refused::Cancelled => panic!("nobody cancelled"),
        }
    }

    /// What each device's leases come to, counted from the leases themselves.
    fn check(&self) {
        for (index, usage) in self.book.usage().iter().enumerate() {
            let here = || self.running.iter().filter(|(device, _)| *device == index);
            let own: u64 = here().map(|(_, request)| request.bytes.0).sum();
            let mut shared = BTreeMap::new();
            for (key, bytes) in here().filter_map(|(_, request)| request.shared) {
                let most = shared.entry(key).or_insert(bytes.0);
                *most = bytes.0.max(*most);
            }
            let tasks = here().count() as u32;
            let total = own + shared.values().sum::<u64>();
            // Of shared data the largest size that was told holds until its last holder is gone.
            assert!(usage.leased.0 >= total, "{usage:?}, counted {total}");
            assert!(usage.leased <= self.limits[index], "over-committed: {usage:?}");
            assert_eq!((usage.tasks, usage.lost.is_some()), (tasks, self.lost[index]));
            assert!(tasks <= self.slots[index], "{tasks} tasks at once");
            if tasks == 0 {
                assert_eq!(usage.leased, Bytes(0));
            }
        }
        let waiting: Vec<u64> = self.waiting.iter().map(|(ticket, ..)| *ticket).collect();
        assert_eq!(self.book.waiting(), waiting);
        if let Some((_, eldest, _)) = self.waiting.first() {
            let idle = (0..self.limits.len()).find(|&device| {
                !self.lost[device]
                    && eldest.total() <= self.limits[device]
                    && self.running.iter().all(|(busy, _)| *busy != device)
            });
            assert_eq!(idle, None, "the eldest waits beside an idle device");
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_nothing_is_promised_twice_and_nobody_waits_for_ever(
        devices in prop::collection::vec((1..120_u64, 0..4_u32), 1..4),
        happenings in prop::collection::vec(happening(), 0..80),
    ) {
        let devices = (0..).zip(devices).map(|(index, (limit, slots))| card(index, limit, slots));
        let mut model = Model::new(devices.collect());
        for happening in happenings {
            model.happens(&happening);
            model.check();
        }
        // When no more come, everybody gets their turn.
        while let Some((device, request)) = model.running.pop() {
            model.book.release(device, &request);
            model.let_in();
            model.check();
        }
        prop_assert!(model.waiting.is_empty(), "{:?} wait for nothing", model.waiting);
    }
}

/// What becomes of a task on its device.
#[derive(Debug, Clone, Copy)]
enum End {
    Finishes,
    Panics,
    Cancelled,
    LosesItsDevice,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        12 => Just(End::Finishes),
        4 => Just(End::Panics),
        3 => Just(End::Cancelled),
        1 => Just(End::LosesItsDevice),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn threads_bring_back_what_they_leased_however_they_end(
        tasks in prop::collection::vec((request(), end()), 1..40),
    ) {
        let pool = DevicePool::new(vec![card(0, 120, 3), card(1, 90, 2)]);
        let (next, over_committed) = (AtomicU32::new(0), AtomicBool::new(false));
        let worker = || while let Some((request, end)) = tasks.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            let cancel = Cancel::new();
            if matches!(end, End::Cancelled) {
                cancel.cancel();
            }
            // A panic is caught where the engine catches it: around the whole task.
            let _ended = catch_unwind(AssertUnwindSafe(|| {
                let Ok(lease) = pool.lease(*request, &cancel) else { return };
                if pool.usage().iter().any(|usage| usage.leased > usage.limit.unwrap()) {
                    over_committed.store(true, Ordering::Relaxed);
                }
                thread::yield_now();
                match end {
                    End::Panics => std::panic::resume_unwind(Box::new("on purpose")),
                    End::LosesItsDevice => pool.mark_lost(lease.device(), "on purpose"),
                    End::Finishes | End::Cancelled => {}
                }
            }));
        };
        thread::scope(|scope| {
            for number in 0..4 {
                let thread = thread::Builder::new().name(format!("walkforge-test-{number}"));
                thread.spawn_scoped(scope, worker).unwrap();
            }
        });
        prop_assert!(!over_committed.into_inner());
        prop_assert_eq!(leased(&pool), vec![(0, 0), (0, 0)]);
        prop_assert!(pool.shared.book.lock().waiting().is_empty());
    }
}
