//! The codes of all diagnostics that this crate emits.
//!
//! A code is a promise: it is printed, searched for and documented. Emitters use the constants,
//! so a code that is not in [`CODES`] cannot be emitted. The first word says what the fault is
//! about: `text-` any text that is read, `plan-` the meaning of a plan.

macro_rules! codes {
    ($($name:ident = $code:literal: $meaning:literal;)*) => {
        $(pub(crate) const $name: &str = $code;)*

        /// Every code that this crate emits, with its meaning in one line.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    AGENT = "plan-agent": "a task names an agent that there is not";
    COMMAND = "text-command": "a command or script cannot be executed as written";
    CONFLICT = "text-conflict": "two things are given that exclude each other";
    CRITERION = "text-criterion": "a criterion names no check";
    CYCLE = "plan-cycle": "tasks wait for each other";
    ENTRY = "criteria-entry": "an entry of a file of criteria cannot be read";
    PROSE = "criteria-prose": "a text in a file of criteria does not count";
    SECTION = "criteria-section": "a section of a file of criteria is not known";
    DUPLICATE_ID = "plan-duplicate-id": "two tasks have one id";
    DUPLICATE_KEY = "text-duplicate-key": "a key stands twice in one object";
    EMPTY = "plan-empty": "the plan has no task";
    ENCODING = "text-encoding": "the text is not in UTF-8";
    ENV = "text-env": "a variable of `env` cannot be set";
    FOLDER_MANIFEST = "folder-manifest": "the manifest of a stage's folder cannot be used";
    FOLDER_MISSING = "folder-missing": "a file of a stage's folder is not there";
    FOLDER_UNPROMISED = "folder-unpromised": "no agent promises a file that is required";
    ID = "text-id": "a text is not usable as an id";
    INPUT = "plan-input": "an input looks like a task that is not there";
    LINT_APPROVAL = "lint-approval": "the request asks for a person's word, and no task waits for it";
    LINT_BUDGET = "lint-budget": "a plan is expected to take more than is permitted";
    LINT_CHANGE_OUTSIDE = "lint-change-outside": "a task is to change what it may not change";
    LINT_FORBIDDEN = "lint-forbidden": "a task does what the request excludes";
    LINT_INPUT_ABSENT = "lint-input-absent": "a task takes a file that is not there and that nothing makes";
    LINT_INPUT_EARLY = "lint-input-early": "a task takes a file and does not wait for the task that makes it";
    LINT_INPUT_NOTHING = "lint-input-nothing": "a task takes what another promises, and that promises no file";
    LINT_INTENT = "lint-intent": "the intent has no criteria of its own";
    LINT_NO_CHANGE = "lint-no-change": "the request asks for a change, and no task makes one";
    LINT_OVERLAP = "lint-overlap": "tasks that may run at once may change one file";
    LINT_PROVES_NOTHING = "lint-proves-nothing": "all criteria of the whole hold before the work begins";
    LINT_RESULT_NONE = "lint-result-none": "a task finds something out and promises no file";
    LINT_ROLE_NONE = "lint-role-none": "a task for an agent has no role";
    LINT_ROLE_UNKNOWN = "lint-role-unknown": "there is no such role";
    LINT_SEAM = "lint-seam": "parts that are put together have nothing that says how they meet";
    LINT_STAGES = "lint-stages": "too many stages follow one after the other";
    LINT_TASK_FILES = "lint-task-files": "a task changes too many files";
    LINT_TASK_LARGE = "lint-task-large": "a task is expected to take too much time or too many tokens";
    LINT_TASK_LONG = "lint-task-long": "a task may take longer than is advised";
    LINT_TASKS_FEW = "lint-tasks-few": "a request is split into two tasks only";
    LINT_TASKS_MANY = "lint-tasks-many": "a plan has more tasks for agents than are advised";
    LINT_TRIVIAL = "lint-trivial": "the tasks of a plan are together no more than one task may be";
    LINT_UNASKED = "lint-unasked": "a task is for a role whose work the request does not ask for";
    LINT_UNCOVERED = "lint-uncovered": "no task does a part of the request";
    MISSING = "text-missing": "something required is not given";
    MORE = "text-more": "there are more faults than are shown";
    NUMBER = "text-number": "a number is out of range";
    PATH = "text-path": "a path leads out of the tree or into git's own folder";
    PATTERN = "text-pattern": "a pattern or regular expression does not parse";
    ROLE_ALIAS = "role-alias": "two roles share a name";
    ROLE_DUPLICATE = "role-duplicate": "two roles have one id";
    ROLE_PAIR = "role-pair": "two roles have one domain and function";
    SAME_FILE = "plan-same-file": "two tasks promise one file, and neither waits for the other";
    STAGE_EMPTY = "plan-stage-empty": "a stage has no task";
    STAGE_MISSING = "plan-stage-missing": "a task stands in no stage";
    STAGE_NAMES = "plan-stage-names": "the order of the stages cannot be told";
    STAGE_ORDER = "plan-stage-order": "a task depends on one of its own stage or of a later one";
    STAGE_TWICE = "plan-stage-twice": "a task stands in two stages";
    STAGES_MANY = "plan-stages-many": "the plan has more stages than are advised";
    SYNTAX = "text-syntax": "the text does not parse as JSON or YAML";
    TEXT = "text-content": "a text is empty or holds what it must not";
    TOO_DEEP = "text-too-deep": "the text is nested too deeply";
    TOO_LARGE = "text-too-large": "the text or what it says exceeds a limit";
    TYPE = "text-type": "a value is of another type than expected";
    UNFALSIFIABLE = "plan-unfalsifiable": "no program can find the task not done";
    UNKNOWN_ID = "plan-unknown-id": "no task has this id";
    UNKNOWN_KEY = "text-unknown-key": "the key is not known";
    UNKNOWN_WORD = "text-unknown-word": "the word is none of those expected";
    WORKFLOW_BUDGET = "workflow-budget": "work does not fit its role's budget of tokens, or barely";
    WORKFLOW_CYCLE = "workflow-cycle": "iterations or entries wait for each other";
    WORKFLOW_DUPLICATE = "workflow-duplicate": "two iterations have one name";
    WORKFLOW_EMPTY = "workflow-empty": "there is no iteration, or one without agents";
    WORKFLOW_FILTER = "workflow-filter": "a filter cannot be evaluated";
    WORKFLOW_INPUT = "workflow-input": "an input has no value, or one that does not fit";
    WORKFLOW_NO_MATCH = "workflow-no-match": "no file matches the targets";
    WORKFLOW_PLAN = "workflow-plan": "the file holds a plan, not a workflow";
    WORKFLOW_ROLE = "workflow-role": "there is no such role";
    WORKFLOW_SAME_FILE = "workflow-same-file": "two targets or entries promise one file";
    WORKFLOW_TEMPLATE = "workflow-template": "a template is not there or cannot be filled";
    WORKFLOW_UNKNOWN = "workflow-unknown": "nothing has the name that is referred to";
    WORKFLOW_VARIABLE = "workflow-variable": "nothing says what a variable is";
    YAML_ANCHOR = "yaml-anchor": "a value has an anchor or refers to one";
    YAML_DOCUMENTS = "yaml-documents": "the text holds several documents";
    YAML_TAG = "yaml-tag": "a value has a tag";
}

#[cfg(test)]
mod tests {
    use super::CODES;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let family = |name: &str| name.split('-').next().unwrap().to_owned();
        let families: BTreeSet<String> = CODES.iter().map(|(code, _)| family(code)).collect();
        let pages: BTreeSet<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| families.contains(&family(name)))
            .collect();
        let codes = CODES.iter().map(|(code, _)| format!("{code}.md")).collect();
        assert_eq!(pages, codes);
        for (code, _) in CODES {
            let page = std::fs::read_to_string(folder.join(format!("{code}.md"))).unwrap();
            assert!(page.starts_with(&format!("# `{code}`\n")), "{code}");
            for heading in ["\n## Cause\n", "\n## Fix\n", "\n## Example\n"] {
                assert!(page.contains(heading), "{code}: {heading}");
            }
        }
    }
}
