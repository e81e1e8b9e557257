//! The virtual clock: what happens next is the earliest of what is to come.
//!
//! Events of the same moment happen in an order drawn by chance, which is how races are explored.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::rng::Rng;

/// What is to come, by virtual time in milliseconds.
#[derive(Debug)]
pub(crate) struct Clock<E> {
    now_ms: u64,
    heap: BinaryHeap<Reverse<(u64, u64, u64)>>,
    events: std::collections::HashMap<u64, E>,
    count: u64,
}

impl<E> Clock<E> {
    /// A clock that stands at `now_ms`.
    #[must_use]
    pub(crate) fn new(now_ms: u64) -> Clock<E> {
        Clock {
            now_ms,
            heap: BinaryHeap::new(),
            events: std::collections::HashMap::new(),
            count: 0,
        }
    }

    /// The virtual time in milliseconds.
    #[must_use]
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// An event happens so many milliseconds from now.
    pub(crate) fn after(&mut self, delay_ms: u64, event: E, rng: &mut Rng) {
        self.at(self.now_ms + delay_ms, event, rng);
    }

    /// An event happens at a time, or now if that has passed.
    pub(crate) fn at(&mut self, at_ms: u64, event: E, rng: &mut Rng) {
        self.count += 1;
        self.events.insert(self.count, event);
        let tie = rng.next();
        self.heap
            .push(Reverse((at_ms.max(self.now_ms), tie, self.count)));
    }

    /// Goes to the next event's time and takes it.
    pub(crate) fn take_next(&mut self) -> Option<E> {
        let Reverse((at_ms, _, key)) = self.heap.pop()?;
        self.now_ms = at_ms;
        self.events.remove(&key)
    }
}
