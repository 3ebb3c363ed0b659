//! A test instrument: takes tasks through many orders of their steps, and finds the one in which they go wrong.
//!
//! A step of a task is what it does from one place where it waits to the next. [`turn`] is a further such place, for the
//! stand-ins of stores and servers, which would answer at once. The orders are tried one after the other, depth first;
//! if there are more than were asked for, as many again are drawn at random, always the same ones. Locks that are held
//! for a step only are no places: what threads do to each other between two of them is tried with threads.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The tasks of one scenario.
#[derive(Default)]
pub(crate) struct Tasks(Rc<RefCell<Vec<Task>>>);

struct Task {
    name: &'static str,
    role: Role,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Has to come to its end.
    Worker,
    /// The same, unless it is dropped half-way.
    Fickle,
    /// Waits for others, for as long as there are any.
    Server,
    /// Goes on when nobody else can.
    Last,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Step {
    Poll(usize),
    Drop(usize),
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tasks {
    /// One that has to come to its end.
    pub(crate) fn add(&mut self, name: &'static str, work: impl Future<Output = ()> + 'static) {
        self.push(name, Role::Worker, work);
    }

    /// One that may be dropped wherever it waits.
    pub(crate) fn add_fickle(&mut self, name: &'static str, work: impl Future<Output = ()> + 'static) {
        self.push(name, Role::Fickle, work);
    }

    /// One that others need, and that need not come to an end.
    pub(crate) fn serve(&mut self, name: &'static str, work: impl Future<Output = ()> + 'static) {
        self.push(name, Role::Server, work);
    }

    /// One that goes on only when no other can: when those that have to come to their end have, and nothing is left to be
    /// done for them.
    pub(crate) fn finally(&mut self, name: &'static str, work: impl Future<Output = ()> + 'static) {
        self.push(name, Role::Last, work);
    }

    fn push(&mut self, name: &'static str, role: Role, work: impl Future<Output = ()> + 'static) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.0.borrow_mut().push(Task { name, role, future: Some(Box::pin(work)), woken });
    }

    /// What can come next. A server goes on when all others are at their end, until it has nothing more to do.
    fn steps(&self) -> Vec<Step> {
        let tasks = self.0.borrow();
        let alive = || tasks.iter().enumerate().filter(|(_, task)| task.future.is_some());
        let woken = |is_last: bool| {
            let woken = alive().filter(|(_, task)| task.woken.0.load(Ordering::SeqCst));
            woken.filter(move |(_, task)| (task.role == Role::Last) == is_last).map(|(index, _)| Step::Poll(index))
        };
        let mut steps: Vec<Step> = woken(false).collect();
        let are_working = alive().any(|(_, task)| matches!(task.role, Role::Worker | Role::Fickle));
        if steps.is_empty() && !are_working {
            steps.extend(woken(true));
        }
        if steps.is_empty() {
            let stuck: Vec<_> =
                alive().filter(|(_, task)| task.role != Role::Server).map(|(_, task)| task.name).collect();
            assert!(stuck.is_empty(), "nobody wakes {stuck:?}");
        } else {
            steps.extend(alive().filter(|(_, task)| task.role == Role::Fickle).map(|(index, _)| Step::Drop(index)));
        }
        steps
    }

    fn take(&self, step: Step) -> String {
        let (index, verb) = match step {
            Step::Poll(index) => (index, ""),
            Step::Drop(index) => (index, " is dropped"),
        };
        // Out of its place meanwhile: what is dropped may look around.
        let (name, woken, mut future) = {
            let mut tasks = self.0.borrow_mut();
            let task = &mut tasks[index];
            (task.name, task.woken.clone(), task.future.take())
        };
        if matches!(step, Step::Poll(_)) {
            woken.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(woken);
            let mut context = Context::from_waker(&waker);
            let pending = future.as_mut().is_some_and(|future| future.as_mut().poll(&mut context).is_pending());
            self.0.borrow_mut()[index].future = future.filter(|_| pending);
        }
        format!("{name}{verb}")
    }
}

/// Which orders were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) orders: usize,
    /// Whether these are all that there are.
    pub(crate) all: bool,
}

/// Sets `scenario` up and runs it once for each order of its steps, up to `limit`, and if there are more, as often at
/// random. Panics if one of them does, or if a task is left that nobody wakes. What `scenario` gives is run at the end of
/// each order, to look at what came of it.
pub(crate) fn explore<End: FnOnce()>(limit: usize, scenario: impl Fn(&mut Tasks) -> End) -> Tried {
    let mut orders = 0;
    let mut known = Vec::new();
    loop {
        let mut choices = Choices { known, at: 0, random: None };
        run(&scenario, &mut choices, orders);
        orders += 1;
        if !choices.advance() {
            return Tried { orders, all: true };
        }
        if orders == limit {
            break;
        }
        known = choices.known;
    }
    for seed in 1..=limit {
        run(&scenario, &mut Choices { known: Vec::new(), at: 0, random: Some(seed as u64) }, orders);
        orders += 1;
    }
    Tried { orders, all: false }
}

fn run<End: FnOnce()>(scenario: &impl Fn(&mut Tasks) -> End, choices: &mut Choices, number: usize) {
    let mut taken = Vec::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut tasks = Tasks::default();
        let end = scenario(&mut tasks);
        loop {
            let steps = tasks.steps();
            if steps.is_empty() {
                break;
            }
            let step = steps[choices.pick(steps.len())];
            taken.push(tasks.take(step));
        }
        end();
    }));
    assert!(outcome.is_ok(), "order {number} goes wrong: {}", taken.join(", "));
}

/// One way through all choices: the ones that are known, and the first of each that comes then.
struct Choices {
    /// What was chosen, out of how many.
    known: Vec<(usize, usize)>,
    at: usize,
    /// The state of the generator, where choices are drawn.
    random: Option<u64>,
}

impl Choices {
    fn pick(&mut self, of: usize) -> usize {
        if let Some(state) = &mut self.random {
            return usize::try_from(split_mix(state) % of as u64).unwrap_or_default();
        }
        if self.at == self.known.len() {
            self.known.push((0, of));
        }
        let (chosen, among) = self.known[self.at];
        assert_eq!(among, of, "the scenario is not the same each time");
        self.at += 1;
        chosen
    }

    /// Goes on to the next order; false if that was the last.
    fn advance(&mut self) -> bool {
        while let Some((chosen, of)) = self.known.pop() {
            if chosen + 1 < of {
                self.known.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Lets the others go first, or not.
pub(crate) async fn turn() {
    let mut turned = false;
    std::future::poll_fn(|context| {
        if turned {
            return Poll::Ready(());
        }
        turned = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Where two threads meet before each round, so that they do at the same time what comes next.
#[derive(Default)]
pub(crate) struct Meeting([AtomicUsize; 2]);

impl Meeting {
    /// Waits until the other one has come to `round` as well, from 0; the two are 0 and 1.
    pub(crate) fn meet(&self, me: usize, round: usize) {
        self.0[me].store(round + 1, Ordering::SeqCst);
        while self.0[1 - me].load(Ordering::SeqCst) <= round {
            std::hint::spin_loop();
        }
    }
}

/// Runs what waits for nobody but itself.
pub(crate) fn alone<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
    panic!("it waits for somebody");
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_order_comes_once() {
        let seen = RefCell::new(Vec::new());
        let tried = explore(100, |tasks| {
            let order = Rc::new(RefCell::new(String::new()));
            for (name, letter) in [("first", 'a'), ("second", 'b')] {
                let order = order.clone();
                tasks.add(name, async move {
                    order.borrow_mut().push(letter);
                    turn().await;
                    order.borrow_mut().push(letter);
                });
            }
            let seen = &seen;
            move || seen.borrow_mut().push(order.take())
        });
        let seen = seen.take();
        let kinds: BTreeSet<_> = seen.iter().map(String::as_str).collect();
        assert_eq!(tried, Tried { orders: seen.len(), all: true });
        assert_eq!(kinds, BTreeSet::from(["aabb", "abab", "abba", "baab", "baba", "bbaa"]));
        assert_eq!(seen.len(), kinds.len());
    }

    fn lose_an_update(limit: usize) {
        explore(limit, |tasks| {
            let count = Rc::new(Cell::new(0));
            for name in ["first", "second"] {
                let count = count.clone();
                tasks.add(name, async move {
                    for _ in 0..5 {
                        let read = count.get();
                        turn().await;
                        count.set(read + 1);
                    }
                });
            }
            move || assert_eq!(count.get(), 10)
        });
    }

    #[test]
    #[should_panic(expected = "order ")]
    fn an_update_that_is_lost_is_found() {
        lose_an_update(1_000);
    }

    #[test]
    #[should_panic(expected = "goes wrong")]
    fn who_waits_for_nobody_is_found() {
        explore(10, |tasks| {
            tasks.add("one", std::future::pending());
            || {}
        });
    }

    #[test]
    fn who_is_fickle_may_end_anywhere() {
        let seen = RefCell::new(BTreeSet::new());
        explore(100, |tasks| {
            let steps = Rc::new(Cell::new(0));
            let counted = steps.clone();
            tasks.add_fickle("one", async move {
                for _ in 0..3 {
                    counted.set(counted.get() + 1);
                    turn().await;
                }
            });
            let seen = &seen;
            move || seen.borrow_mut().extend([steps.get()])
        });
        assert_eq!(seen.take(), BTreeSet::from([0, 1, 2, 3]));
    }
}
