//! The word that a session is to end, from wherever signals are heard.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells a session to end; a clone tells the same one.
#[derive(Clone, Default)]
pub struct Stop(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_said: bool,
    then: Option<Box<dyn FnMut() + Send>>,
}

impl Stop {
    /// Tells it. It may not have begun yet.
    pub fn say(&self) {
        let mut state = self.state();
        state.is_said = true;
        if let Some(then) = &mut state.then {
            then();
        }
    }

    /// Whether it was told.
    pub(super) fn is_said(&self) -> bool {
        self.state().is_said
    }

    /// What is to happen when it is told; at once if it was.
    pub(super) fn then(&self, mut then: impl FnMut() + Send + 'static) {
        let mut state = self.state();
        if state.is_said {
            then();
        }
        state.then = Some(Box::new(then));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
