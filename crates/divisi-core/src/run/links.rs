//! Who waits for whom: tasks and joins as nodes of one graph.
//!
//! A join is a node without work. It stands for a stage barrier or for the parts of a split task,
//! so that *n* tasks that wait for *m* others cost *n + m* edges, not *n × m*.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::state::Run;
use super::task::{Task, TaskState};
use crate::ids::TaskNo;

/// A node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Node {
    /// A task.
    Task(TaskNo),
    /// A join, by index.
    Join(u32),
}

/// Joins that a walk over the graph has passed.
pub(super) type Seen = BTreeSet<u32>;

/// A node's edges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// What must be met before.
    pub(super) waits: Vec<Node>,
    /// What waits for it.
    pub(super) feeds: Vec<Node>,
}

/// A node without work, met when all it waits for is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Join {
    /// For people: the stage, or the split task.
    pub(super) label: String,
    pub(super) links: Links,
    pub(super) unmet: u32,
}

impl Run {
    pub(super) fn links(&self, node: Node) -> &Links {
        match node {
            Node::Task(no) => &self.tasks[no.index()].links,
            Node::Join(join) => &self.joins[join as usize].links,
        }
    }

    fn links_mut(&mut self, node: Node) -> &mut Links {
        match node {
            Node::Task(no) => &mut self.tasks[no.index()].links,
            Node::Join(join) => &mut self.joins[join as usize].links,
        }
    }

    pub(super) fn connect(&mut self, from: Node, to: Node) {
        self.links_mut(from).feeds.push(to);
        self.links_mut(to).waits.push(from);
    }

    /// Adds a join node for each stage that another follows. Stages without tasks are passed over.
    /// `stage_of` has the stages of the tasks from number `first` on.
    pub(super) fn link_barriers(&mut self, first: u32, stage_of: &[u32], names: &[String]) {
        let stages: Vec<u32> = stage_of
            .iter()
            .copied()
            .collect::<BTreeSet<u32>>()
            .into_iter()
            .collect();
        let first_join = self.joins.len() as u32;
        for &stage in stages.iter().rev().skip(1).rev() {
            let label = names
                .get(stage as usize)
                .cloned()
                .unwrap_or_else(|| format!("stage_{}", stage + 1));
            self.add_join(label);
        }
        for (task, stage) in stage_of.iter().enumerate() {
            let node = Node::Task(TaskNo(first + task as u32));
            let place = stages.partition_point(|other| other < stage) as u32;
            if place as usize + 1 < stages.len() {
                self.connect(node, Node::Join(first_join + place));
            }
            if place > 0 {
                self.connect(Node::Join(first_join + place - 1), node);
            }
        }
    }

    /// Puts parts in the place of a task: they wait for what it waited for, and what waited for it
    /// waits for a join over them. Many parts wait for many others by a join, too.
    pub(super) fn link_split(
        &mut self,
        split: TaskNo,
        parts: &[TaskNo],
        inner: &BTreeSet<(TaskNo, TaskNo)>,
    ) {
        let node = Node::Task(split);
        let id = self.tasks[split.index()].spec.id.clone();
        let join = self.add_join(format!("parts of {id}"));
        let feeds = std::mem::take(&mut self.links_mut(node).feeds);
        for &fed in &feeds {
            for wait in &mut self.links_mut(fed).waits {
                if *wait == node {
                    *wait = join;
                }
            }
        }
        self.links_mut(join).feeds = feeds;
        let mut waits = self.links(node).waits.clone();
        if waits.len() > 1 && parts.len() > 1 {
            let before = self.add_join(format!("what {id} waits for"));
            for wait in std::mem::replace(&mut waits, vec![before]) {
                self.connect(wait, before);
            }
        }
        for &part in parts {
            for &wait in &waits {
                self.connect(wait, Node::Task(part));
            }
            self.connect(Node::Task(part), join);
        }
        for &(before, after) in inner {
            self.connect(Node::Task(before), Node::Task(after));
        }
    }

    pub(super) fn add_join(&mut self, label: String) -> Node {
        let join = Node::Join(self.joins.len() as u32);
        self.joins.push(Join {
            label,
            ..Join::default()
        });
        join
    }

    fn is_met(task: &Task) -> bool {
        matches!(task.state, TaskState::Done) || task.is_spent_candidate()
    }

    /// Counts anew what every node still waits for. Linear in nodes and edges.
    pub(super) fn count_unmet(&mut self) {
        for no in 0..self.tasks.len() {
            let unmet_tasks = |node: &Node| match node {
                Node::Task(on) => u32::from(!Run::is_met(&self.tasks[on.index()])),
                Node::Join(_) => 1,
            };
            self.tasks[no].unmet = self.tasks[no].links.waits.iter().map(unmet_tasks).sum();
        }
        for join in 0..self.joins.len() {
            let waits = self.joins[join].links.waits.len() as u32;
            self.joins[join].unmet = waits;
        }
        for no in 0..self.tasks.len() {
            if !Run::is_met(&self.tasks[no]) {
                continue;
            }
            for at in 0..self.tasks[no].links.feeds.len() {
                if let Node::Join(join) = self.tasks[no].links.feeds[at] {
                    self.meet_join(join, &mut |_, _| {});
                }
            }
        }
    }

    /// Counts what the nodes from these numbers on wait for. The joins among them wait for tasks and
    /// for joins before them only.
    pub(super) fn count_unmet_from(&mut self, first_task: usize, first_join: usize) {
        for join in first_join..self.joins.len() {
            self.joins[join].unmet = self.unmet_of(&self.joins[join].links);
        }
        for no in first_task..self.tasks.len() {
            self.tasks[no].unmet = self.unmet_of(&self.tasks[no].links);
        }
    }

    fn unmet_of(&self, links: &Links) -> u32 {
        let is_unmet = |node: &&Node| match node {
            Node::Task(no) => !Run::is_met(&self.tasks[no.index()]),
            Node::Join(join) => self.joins[*join as usize].unmet > 0,
        };
        links.waits.iter().filter(is_unmet).count() as u32
    }

    /// One more of what a join waits for is met; `on_task` is told each task this releases.
    fn meet_join(&mut self, join: u32, on_task: &mut dyn FnMut(&mut Run, TaskNo)) {
        let mut worklist = vec![join];
        while let Some(join) = worklist.pop() {
            let met = &mut self.joins[join as usize];
            met.unmet -= 1;
            if met.unmet > 0 {
                continue;
            }
            for at in 0..self.joins[join as usize].links.feeds.len() {
                match self.joins[join as usize].links.feeds[at] {
                    Node::Join(next) => worklist.push(next),
                    Node::Task(no) => {
                        self.tasks[no.index()].unmet -= 1;
                        if self.tasks[no.index()].unmet == 0 {
                            on_task(self, no);
                        }
                    }
                }
            }
        }
    }

    /// A task is done: `on_task` is told each task that nothing holds back any more.
    pub(super) fn meet(&mut self, no: TaskNo, on_task: &mut dyn FnMut(&mut Run, TaskNo)) {
        for at in 0..self.tasks[no.index()].links.feeds.len() {
            match self.tasks[no.index()].links.feeds[at] {
                Node::Join(join) => self.meet_join(join, on_task),
                Node::Task(fed) => {
                    self.tasks[fed.index()].unmet -= 1;
                    if self.tasks[fed.index()].unmet == 0 {
                        on_task(self, fed);
                    }
                }
            }
        }
    }

    /// Ranks every task by the longest remaining path, in one pass from the ends.
    pub(super) fn rank(&mut self) {
        let tasks = (0..self.tasks.len()).map(|no| Node::Task(TaskNo(no as u32)));
        let joins = (0..self.joins.len()).map(|join| Node::Join(join as u32));
        let ends = tasks
            .chain(joins)
            .filter(|node| self.links(*node).feeds.is_empty())
            .collect();
        self.rank_back(ends, 0, (0, 0));
    }

    /// Ranks the tasks from this number on, which took a task's place: what followed it follows the
    /// join over them, the first of the joins from this number on.
    pub(super) fn rank_parts(&mut self, split: TaskNo, first_task: usize, first_join: usize) {
        let own = self.estimate_ms(split);
        let task = &mut self.tasks[split.index()];
        let after = std::mem::replace(&mut task.rank_ms, own).saturating_sub(own);
        let ends = vec![Node::Join(first_join as u32)];
        self.rank_back(ends, after, (first_task, first_join));
    }

    pub(super) fn estimate_ms(&self, no: TaskNo) -> u64 {
        let task = &self.tasks[no.index()];
        // The time is its candidates'.
        if task.spec.candidates.is_some() {
            return 0;
        }
        let estimate = &task.spec.estimate;
        estimate.duration_ms.unwrap_or(self.estimate_ms_mean)
    }

    /// Ranks tasks from the ends of all paths, which are so long themselves, back to the first task
    /// and join.
    fn rank_back(&mut self, ends: Vec<Node>, end_ms: u64, first: (usize, usize)) {
        let feeds = |links: &Links| links.feeds.len() as u32;
        let tasks = &self.tasks[first.0..];
        let joins = &self.joins[first.1..];
        let mut left: Vec<u32> = tasks.iter().map(|task| feeds(&task.links)).collect();
        let mut joins_left: Vec<u32> = joins.iter().map(|join| feeds(&join.links)).collect();
        let mut after = vec![end_ms; left.len()];
        let mut joins_after = vec![end_ms; joins_left.len()];
        let mut worklist = ends;
        while let Some(node) = worklist.pop() {
            let rank = match node {
                Node::Join(join) => joins_after[join as usize - first.1],
                Node::Task(no) => {
                    let rank = after[no.index() - first.0].saturating_add(self.estimate_ms(no));
                    self.tasks[no.index()].rank_ms = rank;
                    rank
                }
            };
            for &before in &self.links(node).waits {
                let place = match before {
                    Node::Task(no) => no.index().checked_sub(first.0),
                    Node::Join(join) => (join as usize).checked_sub(first.1),
                };
                let Some(at) = place else { continue };
                let (slot, count) = match before {
                    Node::Task(_) => (&mut after[at], &mut left[at]),
                    Node::Join(_) => (&mut joins_after[at], &mut joins_left[at]),
                };
                *slot = (*slot).max(rank);
                *count -= 1;
                if *count == 0 {
                    worklist.push(before);
                }
            }
        }
    }

    /// Tasks behind these nodes, joins followed towards what they wait for.
    pub(super) fn resolve(&self, nodes: &[Node]) -> Vec<TaskNo> {
        self.behind(nodes, &mut Seen::new(), |links| &links.waits)
    }

    /// Tasks behind these nodes, joins followed towards what waits for them.
    pub(super) fn resolve_feeds(&self, nodes: &[Node]) -> Vec<TaskNo> {
        self.behind(nodes, &mut Seen::new(), |links| &links.feeds)
    }

    /// As [`Run::dependencies`], without those behind joins that were seen. A walk over the graph
    /// keeps what it has seen, so that it costs the edges, not a stage for each of its tasks.
    pub(super) fn dependencies_unseen(&self, no: TaskNo, seen: &mut Seen) -> Vec<TaskNo> {
        self.behind(&self.tasks[no.index()].links.waits, seen, |links| {
            &links.waits
        })
    }

    /// As [`Run::dependents`], without those behind joins that were seen.
    pub(super) fn dependents_unseen(&self, no: TaskNo, seen: &mut Seen) -> Vec<TaskNo> {
        self.behind(&self.tasks[no.index()].links.feeds, seen, |links| {
            &links.feeds
        })
    }

    fn behind(
        &self,
        nodes: &[Node],
        seen: &mut Seen,
        side: impl Fn(&Links) -> &Vec<Node>,
    ) -> Vec<TaskNo> {
        let mut found = BTreeSet::new();
        let mut worklist = nodes.to_vec();
        while let Some(node) = worklist.pop() {
            match node {
                Node::Task(no) => {
                    found.insert(no);
                }
                Node::Join(join) if seen.insert(join) => {
                    worklist.extend_from_slice(side(&self.joins[join as usize].links));
                }
                Node::Join(_) => {}
            }
        }
        found.into_iter().collect()
    }

    /// For each join, whether anything behind it is not done, from the tasks' states alone.
    pub(super) fn open_joins(&self) -> Vec<bool> {
        let open = |node: &Node| match node {
            Node::Task(no) => !Run::is_met(&self.tasks[no.index()]),
            Node::Join(_) => false,
        };
        let mut found: Vec<bool> = self
            .joins
            .iter()
            .map(|join| join.links.waits.iter().any(open))
            .collect();
        let mut worklist: Vec<usize> = (0..found.len()).filter(|join| found[*join]).collect();
        while let Some(join) = worklist.pop() {
            for node in &self.joins[join].links.feeds {
                if let Node::Join(next) = node
                    && !std::mem::replace(&mut found[*next as usize], true)
                {
                    worklist.push(*next as usize);
                }
            }
        }
        found
    }

    /// Whether one of the nodes is a task that is not done, or an open join.
    pub(super) fn is_open(&self, nodes: &[Node], joins: &[bool]) -> bool {
        nodes.iter().any(|node| match node {
            Node::Task(no) => !Run::is_met(&self.tasks[no.index()]),
            Node::Join(join) => joins[*join as usize],
        })
    }

    /// The join a task waits at, if one of its waits is an unmet one.
    pub(super) fn unmet_join(&self, no: TaskNo) -> Option<&str> {
        self.tasks[no.index()]
            .links
            .waits
            .iter()
            .find_map(|node| match node {
                Node::Join(join) if self.joins[*join as usize].unmet > 0 => {
                    Some(self.joins[*join as usize].label.as_str())
                }
                _ => None,
            })
    }
}
