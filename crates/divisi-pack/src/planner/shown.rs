//! What an agent is to judge where no check tells whether what was asked for was done
//! (docs/design/shown.md).

use divisi_core::TaskKind;
use divisi_core::plan::Work;

use super::{Facts, Planned, judged, spared, whole};
use crate::request::Request;

/// Has agents judge, where some do, what checks leave open: of tasks whose criteria other work would
/// fulfill, too, whether it is done as asked, and of the whole what the request holds back in words of
/// which no check was made.
pub(super) fn judge(planned: &mut Planned, request: &Request, facts: &Facts<'_>) {
    if !facts.has_judges {
        return;
    }
    let mut parts = vec![0; planned.plan.tasks.len()];
    for task in planned.covers.iter().flatten() {
        parts[*task] += 1;
    }
    for (task, parts) in planned.plan.tasks.iter_mut().zip(parts) {
        let is_work = task.kind == TaskKind::Work && task.work == Work::Handoff;
        let mut criteria = task.criteria.iter();
        let is_judged = criteria.any(|it| !it.is_falsifiable());
        let mut criteria = task.criteria.iter();
        // What a check tells of one part, it tells of no other one.
        let is_shown = parts < 2 && criteria.any(|it| it.tells_of_work(facts.tests));
        if is_work && !is_judged && !is_shown {
            task.criteria.push(whole::as_asked(&task.title));
        }
    }
    let kept = spared::unread(&planned.plan, request, facts).into_iter();
    let kept = kept.map(|said| judged(format!("this was kept to: {said}")));
    planned.plan.criteria.extend(kept);
}
