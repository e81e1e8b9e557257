//! What people may ask, and what must not follow from it.

use super::bench::{Bench, approval, plan, with};

#[test]
fn an_approval_that_is_retried_asks_a_person_again() {
    // given: ok ── a, and the consent refused, while another task keeps the run open
    let mut bench = Bench::new(with(plan("ok; a: ok; b"), "ok", approval));
    bench.does(bench.reject("ok"), &["failed ok", "skipped a because ok"]);
    // when: it is retried
    bench.does(bench.retry("ok"), &["retried ok", "retried a"]);
    // then: nobody can lease what only a person may decide
    bench.refuses(bench.lease("ok"), "task-not-now");
    bench.does(bench.approve("ok"), &["approval given ok"]);
    bench.does(bench.lease("a"), &["leased a.1 by command in 1"]);
}

#[test]
fn a_canceled_approval_is_no_consent_either() {
    let mut bench = Bench::new(with(plan("ok; b"), "ok", approval));
    bench.does(bench.cancel("ok"), &["canceled ok"]);
    bench.does(bench.retry("ok"), &["retried ok"]);
    bench.refuses(bench.lease("ok"), "task-not-now");
}
