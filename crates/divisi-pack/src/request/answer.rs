//! Requests that want an answer and no change: `don't change anything, just tell me what a.sh does`,
//! `should we use x? Give a recommendation in docs/decision.md`.
//!
//! Such a request is known by its clauses: each asks a question, has something told, finds out, says where
//! that goes, or only tells how it is; at least one is of the first two. All of it is one part then: who
//! answers reads all of it. A question beside work is no work, and what it asks for nobody can say by rule.

use super::roles;
use super::sentence::{is_preface, leads_in};
use super::statement::{Mood, mood};
use super::token::{Kind, Token};
use super::verbs::{Aim, Change, Form, Verb, verb};
use super::{File, Loose, Part, Request, Shape, Span, Standing};

/// With these, a question asks for what is not known.
const ASKING: &[&str] = &[
    "how", "what", "when", "where", "whether", "which", "who", "whose", "why",
];

/// With these, it asks whether something is so. `Can` and `could` ask for work as often.
const INVERTED: &[&str] = &[
    "am",
    "are",
    "aren't",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "don't",
    "had",
    "has",
    "hasn't",
    "have",
    "is",
    "isn't",
    "must",
    "should",
    "shouldn't",
    "was",
    "were",
    "would",
    "wouldn't",
];

/// With these, a question suggests work. Who asks `would you …` asks for it.
const SUGGESTING: &[&[&str]] = &[
    &["how", "about"],
    &["what", "about"],
    &["what", "if"],
    &["why", "don't"],
    &["why", "not"],
];

/// What has something told, whatever follows.
const TELLING: &[&[&str]] = &[
    &["advise"],
    &["answer"],
    &["give", "me", "advice"],
    &["give", "me", "an", "opinion"],
    &["give", "me", "your", "opinion"],
    &["i", "want", "to", "know"],
    &["i", "wonder"],
    &["i", "would", "like", "to", "know"],
    &["i'd", "like", "to", "know"],
    &["just", "answer"],
    &["let", "me", "know"],
    &["only", "answer"],
    &["recommend"],
    &["tell", "me"],
    &["tell", "us"],
];

/// The same where a question follows.
const TELLING_WHAT: &[&[&str]] = &[
    &["analyze"],
    &["check"],
    &["clarify"],
    &["describe"],
    &["determine"],
    &["explain"],
    &["explain", "me"],
    &["explain", "to", "me"],
    &["figure", "out"],
    &["find", "out"],
    &["investigate"],
    &["look", "into"],
    &["outline"],
    &["say"],
    &["show", "me"],
    &["summarize"],
];

/// What of these may stand in a document as well: `explain in README.md how it works`.
const DESCRIBING: &[&str] = &["clarify", "describe", "explain", "outline", "summarize"];

/// Verbs by which somebody hands over what was found.
const GIVING: &[&str] = &[
    "collect",
    "document",
    "give",
    "make",
    "note",
    "prepare",
    "present",
    "put",
    "record",
    "report",
    "save",
    "summarize",
    "write",
];

/// What is handed over.
const FOUND: &[&str] = &[
    "answer",
    "answers",
    "assessment",
    "conclusion",
    "conclusions",
    "explanation",
    "finding",
    "findings",
    "opinion",
    "recommendation",
    "recommendations",
    "result",
    "results",
    "summary",
];

/// Verbs that find something out, and change nothing.
const FINDING: &[&str] = &[
    "analyze",
    "compare",
    "consider",
    "discuss",
    "evaluate",
    "explore",
    "investigate",
    "research",
    "weigh",
];

/// Words before what a clause says.
const LEADS: &[&str] = &["also", "first", "now", "please", "pls", "plz", "then"];

/// The same of who asks somebody: `could you kindly`.
const POLITE: &[&str] = &["can", "could", "kindly", "will", "would", "you"];

/// Words of a clause that says no more.
const SMALL: &[&str] = &[
    "briefly", "file", "it", "just", "me", "no", "nothing", "only", "or", "please", "reply",
    "shortly", "thanks", "that", "this", "us", "yes",
];

/// What one clause does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It asks something, or has something told.
    Asks,
    /// The same, which may be meant for a document.
    Describes,
    /// It has something described, which is an answer only where nothing may change.
    Outlines,
    /// It asks whether something can be done, or to have it done: `can we drop Ruby 3.0?`
    MayAsk,
    /// It goes with a question: it finds out, says where the answer goes, or tells how it is.
    GoesWith,
    /// Anything else.
    Other,
}

/// Makes one part of a request that wants an answer. Of others, a question is no work.
pub(super) fn join(request: &mut Request, tokens: &[Token]) {
    let sentences = request.sentences.clone();
    let is_beside = sentences.len() > 1;
    let mut all = Vec::new();
    let (mut questions, mut open) = (Vec::new(), Vec::new());
    for sentence in sentences {
        let clauses = clauses(request, tokens, sentence);
        let is_question = is_question(request, sentence);
        let says = clauses.iter().map(|clause| says(clause, is_question));
        let says: Vec<Says> = says.collect();
        match says.first() {
            Some(Says::Asks) if is_question => questions.push(sentence),
            Some(Says::MayAsk) => open.push(sentence),
            _ => {}
        }
        all.extend(says);
    }
    let forbids = request.bounds.iter().any(|it| it.files.is_empty());
    let has_file = tokens
        .iter()
        .any(|it| it.kind == Kind::Path && is_document(&it.lower));
    let is_asked = all.iter().any(|it| match it {
        Says::Asks => true,
        Says::Describes => forbids || !has_file,
        Says::Outlines => forbids,
        Says::GoesWith | Says::MayAsk | Says::Other => false,
    });
    let may_ask = !all.contains(&Says::MayAsk) || has_what_told(tokens);
    let may_outline = forbids || !all.contains(&Says::Outlines);
    let is_all = may_ask && may_outline && !all.contains(&Says::Other);
    // An item or a step is one of several things to be done.
    let is_prose = request
        .parts
        .iter()
        .all(|it| matches!(it.shape, Shape::Clause | Shape::Attachment));
    let is_only_asked = is_all && is_prose && !has_work_for_the_case(tokens);
    if is_asked && is_only_asked && request.approvals.is_empty() {
        return as_one(request);
    }
    if is_beside {
        // It may be meant as either.
        questions.extend(open);
    }
    doubt(request, &questions);
}

/// Whether something is to be done by what the answer is: `and if not, add a test`.
fn has_work_for_the_case(tokens: &[Token]) -> bool {
    let case = |it: &[Token]| {
        it[0].is("if") && it[1].is_any(&["it's", "needed", "no", "not", "so", "yes"])
    };
    let mut cases = (1..tokens.len()).filter(|&at| case(&tokens[at - 1..=at]));
    cases.any(|at| {
        let mut near = tokens[at + 1..].iter().filter(|it| it.is_word());
        let asks = near.next().and_then(|it| verb(&it.lower));
        asks.is_some_and(|(_, change, form)| form == Form::Base && change != Change::Research)
    })
}

/// Whether somebody wants to be told what is not known: `tell me what would break`. Who wants to be
/// told `when it is done` has it done.
fn has_what_told(tokens: &[Token]) -> bool {
    let mut pairs = tokens.windows(2);
    pairs.any(|pair| {
        let asks = pair[1].is_any(ASKING) && !pair[1].is("when") || pair[1].is("if");
        pair[0].is_any(&["know", "me", "us"]) && asks
    })
}

/// A question that was read as work beside other work is none: nothing is divided.
fn doubt(request: &mut Request, questions: &[Span]) {
    let is_known = |span: Span| {
        request
            .loose
            .iter()
            .any(|it| it.span == span && it.may_be_work)
    };
    let is_asked =
        |part: &&Part| questions.iter().any(|it| it.holds(part.span)) && !is_known(part.span);
    let doubtful = request.parts.iter().filter(is_asked).map(|part| Loose {
        span: part.span,
        text: part.text.clone(),
        may_be_work: true,
        is_told: false,
    });
    let doubtful: Vec<Loose> = doubtful.collect();
    if request.parts.len() > 1 {
        request.loose.extend(doubtful);
    }
}

fn as_one(request: &mut Request) {
    let text = super::clauses::squeezed(&request.wanted());
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';'));
    let span = Span {
        start: 0,
        end: request.text.len(),
    };
    let files = request
        .parts
        .iter()
        .flat_map(|part| part.files.iter().cloned());
    let files = files.map(|file| File {
        standing: Standing::Aside,
        is_direct: false,
        ..file
    });
    let files: Vec<File> = files.collect();
    let role = "architect";
    request.parts = vec![Part {
        span,
        text: text.to_owned(),
        shape: Shape::Clause,
        verb: Some(Verb {
            span: Span { start: 0, end: 0 },
            word: "answer",
            change: Change::Research,
        }),
        mentions: Vec::new(),
        role,
        domain: roles::domain_of(role),
        files,
        after: Vec::new(),
        is_beside: false,
    }];
    request.is_question = true;
    request.goal = None;
    request.prefix = None;
    request.order_words.clear();
    request.loose.clear();
}

/// Whether a sentence ends with the mark of a question.
fn is_question(request: &Request, sentence: Span) -> bool {
    let behind = request.text.get(sentence.end..).unwrap_or_default();
    let behind = behind.trim_start_matches(['`', '"', ')', '\'']);
    behind.trim_start().starts_with('?')
}

/// The clauses of a sentence without what it excludes.
fn clauses<'t>(request: &Request, tokens: &'t [Token], sentence: Span) -> Vec<Vec<&'t Token>> {
    let excluded = |token: &Token| {
        let mut all = request.exclusions.iter().chain(&request.bounds);
        all.any(|it| it.span.holds(token.span))
    };
    let from = tokens.partition_point(|it| it.span.start < sentence.start);
    let own = tokens[from..]
        .iter()
        .take_while(|it| it.span.end <= sentence.end);
    let own: Vec<&Token> = own.collect();
    let mut found: Vec<Vec<&Token>> = vec![Vec::new()];
    for (at, token) in own.iter().enumerate() {
        let begins = |next: &&Token| {
            is_preface(next)
                || next.is_any(ASKING)
                || verb(&next.lower).is_some_and(|(.., form)| form == Form::Base)
        };
        let is_joint = token.is_any(&["and", "but", "so", "then"])
            && own[at + 1..]
                .iter()
                .find(|it| !it.is_any(&["then", "also"]))
                .is_some_and(begins);
        let is_mark = matches!(token.kind, Kind::Mark(_)) && !token.is_aside;
        if is_mark || is_joint || excluded(token) {
            found.push(Vec::new());
        } else if token.is_word() {
            found.last_mut().expect("there is one").push(token);
        }
    }
    // What only joins an exclusion to the rest says nothing.
    let says = |it: &&Token| !it.is_any(&["and", "but", "so", "then"]);
    found.retain(|clause| clause.iter().any(says));
    found
}

fn says(clause: &[&Token], is_question: bool) -> Says {
    let is_polite = clause.iter().any(|it| it.is("you"));
    let leads = |it: &Token| it.is_any(LEADS) || is_polite && it.is_any(POLITE);
    let lead = clause.iter().take_while(|it| leads(it)).count();
    let words = &clause[lead..];
    let begins = |phrase: &[&str]| {
        phrase.len() <= words.len() && phrase.iter().zip(words).all(|(word, it)| it.is(word))
    };
    let Some(first) = words.first() else {
        return Says::GoesWith;
    };
    if clause.iter().all(|it| it.is_any(SMALL) || it.is("answer")) {
        let asks = clause.iter().any(|it| it.is("answer"));
        return if asks { Says::Asks } else { Says::GoesWith };
    }
    if is_question && lead == 0 {
        let suggests = SUGGESTING.iter().any(|it| begins(it));
        let inverts = first.is_any(INVERTED) && !words.get(1).is_some_and(|it| it.is("you"));
        if !suggests && (first.is_any(ASKING) || inverts) {
            return Says::Asks;
        }
        if first.is_any(&["can", "could"]) && !suggests && !is_polite {
            return Says::MayAsk;
        }
    }
    let bare = words
        .iter()
        .position(|it| !it.is_any(&["just", "only", "simply"]))
        .unwrap_or(0);
    let begins_bare = |phrase: &[&str]| {
        let words = &words[bare..];
        let mut pairs = phrase.iter().zip(words);
        let fits = phrase.len() <= words.len() && pairs.all(|(word, it)| it.is(word));
        fits.then_some(phrase.len())
    };
    if first.is_any(ASKING) && !is_question {
        // It says more of what is asked: `explain why, and what can be done`.
        return Says::GoesWith;
    }
    let told = TELLING.iter().filter_map(|it| begins_bare(it)).max();
    if let Some(length) = told {
        // Who wants to be told when it is done has it done.
        let behind = words.get(bare + length);
        return match behind.is_some_and(|it| it.is_any(&["as", "once", "when"])) {
            true => Says::Other,
            false => Says::Asks,
        };
    }
    let what = TELLING_WHAT.iter().filter_map(|it| begins_bare(it)).max();
    let follows = what.and_then(|length| words.get(bare + length));
    if follows.is_some_and(|it| it.is_any(ASKING) || it.is("if")) {
        let describes = words[bare].is_any(DESCRIBING);
        return if describes {
            Says::Describes
        } else {
            Says::Asks
        };
    }
    if words[bare].is_any(DESCRIBING) && words.len() > bare + 1 {
        return Says::Outlines;
    }
    let gives = words[bare].is_any(GIVING) && words.iter().any(|it| it.is_any(FOUND));
    if gives && words[bare].is("give") {
        return Says::Asks;
    }
    let reports = words[bare].is("report");
    let finds = words[bare].is_any(FINDING);
    let owned: Vec<Token> = clause.iter().map(|it| (*it).clone()).collect();
    let is_told = leads_in(&owned) == 0 && mood(&owned) == Mood::Tells;
    let alters = || {
        let verb = verb(&words[bare].lower).filter(|it| it.2 == Form::Base);
        verb.is_some_and(|it| it.1.aim() == Aim::Alteration)
    };
    match gives || reports || finds || is_told && !alters() {
        true => Says::GoesWith,
        false => Says::Other,
    }
}

/// Whether a path is a document's.
fn is_document(path: &str) -> bool {
    let endings = [".adoc", ".md", ".mdx", ".rst", ".txt"];
    endings.iter().any(|ending| path.ends_with(ending))
}
