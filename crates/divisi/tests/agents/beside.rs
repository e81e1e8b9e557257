//! Whether two tasks were at work at one time.

use divisi_core::TaskNo;
use divisi_core::run::Event;

use crate::stage::Stage;

/// Both began before one of them ended.
pub(crate) fn side_by_side(stage: &Stage, tasks: [TaskNo; 2]) {
    let events = stage.timed_events();
    let is_end = |event: &Event| matches!(event, Event::AttemptEnded { attempt, .. } if tasks.contains(&attempt.task));
    for no in tasks {
        let is_begin = |event: &Event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.task == no);
        let events_so_far = events.iter().map(|(_, event)| event);
        let mut before = events_so_far.take_while(|event| !is_end(event));
        assert!(before.any(is_begin), "{no:?} had not begun: {events:#?}");
    }
}
