//! Fits the weights of words in `assess/signals.rs`, and says how good they are where they were not
//! fitted.
//!
//! ```sh
//! cargo run --release -p divisi-pack --example fit -- COMMITS.csv [MORE.csv ...]
//! ```
//!
//! A table has the columns `repo`, `title`, `body`, `files_changed` and `n_core_domains` (how many
//! of code, tests and documents a commit changed). Weights are fitted on the first table; each
//! repository's commits, in every table, are judged by weights that were fitted without it. Balanced
//! accuracy is printed beside a majority's and two lists of keywords', and beside the shipped
//! assessment's: by its weights, and by its verdict. At the end come the weights that are fitted on all of
//! the first table, as the rows of `TABLE`.

use std::collections::BTreeSet;
use std::error::Error;

use divisi_pack::assess::signals::{SIGNALS, TABLE, signals};
use divisi_pack::assess::{Approach, Repository, assess_text};
use divisi_pack::request;

/// How strongly weights are held to nothing.
const RIDGE: f64 = 5.0;
const STEPS: usize = 3_000;
const STEP: f64 = 0.4;

/// A commit as the fit sees it.
struct Commit {
    repo: String,
    values: [f64; SIGNALS],
    /// What each of [`KEYWORDS`] says.
    by_keywords: [bool; 2],
    /// What the shipped weights say of each label.
    by_words: [bool; 2],
    /// Whether it would be more than one task.
    is_split: bool,
    labels: [bool; 2],
}

struct Weights {
    base: f64,
    of: [f64; SIGNALS],
}

fn main() -> Result<(), Box<dyn Error>> {
    let tables: Vec<(String, Vec<Commit>)> = std::env::args()
        .skip(1)
        .map(|path| Ok((path.clone(), read(&path)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let Some((_, fitted)) = tables.first() else {
        return Err("which table is to be fitted?".into());
    };
    let repos: BTreeSet<&str> = fitted.iter().map(|commit| commit.repo.as_str()).collect();
    let mut all = Vec::new();
    for (label, name) in ["four files or more", "several domains"].iter().enumerate() {
        println!("\n{name}: balanced accuracy by weights fitted on the other repositories");
        for (path, table) in &tables {
            let mut hits = Vec::new();
            for repo in &repos {
                let others: Vec<&Commit> = fitted.iter().filter(|c| c.repo != *repo).collect();
                let weights = fit(&others, label);
                let own: Vec<&Commit> = table.iter().filter(|c| c.repo == *repo).collect();
                let here: Vec<(bool, bool)> = own
                    .iter()
                    .map(|commit| (commit.labels[label], log_odds(&weights, commit) >= 0.0))
                    .collect();
                println!("  {repo}: {:.3} of {}", balanced(&here), here.len());
                hits.extend(here);
            }
            println!("  {path}: {:.3} of {}", balanced(&hits), hits.len());
            for (list, of) in KEYWORDS.iter().enumerate() {
                let said: Vec<(bool, bool)> = table
                    .iter()
                    .map(|commit| (commit.labels[label], commit.by_keywords[list]))
                    .collect();
                println!("    {of}: {:.3}", balanced(&said));
            }
            let said = |says: &dyn Fn(&Commit) -> bool| {
                let hits = table
                    .iter()
                    .map(|commit| (commit.labels[label], says(commit)));
                balanced(&hits.collect::<Vec<_>>())
            };
            println!("    majority: 0.500");
            println!("    shipped weights: {:.3}", said(&|it| it.by_words[label]));
            println!("    verdict: {:.3}", said(&|it| it.is_split));
            let split = table.iter().filter(|commit| commit.is_split).count();
            println!("    split: {split} of {}", table.len());
        }
        let weights = fit(&fitted.iter().collect::<Vec<_>>(), label);
        let own: Vec<(bool, bool)> = fitted
            .iter()
            .map(|commit| (commit.labels[label], log_odds(&weights, commit) >= 0.0))
            .collect();
        println!("  where it was fitted: {:.3}", balanced(&own));
        all.push(weights);
    }
    let hundredths = |weight: f64| (weight * 100.0).round() as i32;
    println!(
        "\nBASE: ({}, {})",
        hundredths(all[0].base),
        hundredths(all[1].base)
    );
    for (at, signal) in TABLE.iter().enumerate() {
        let (files, domains) = (hundredths(all[0].of[at]), hundredths(all[1].of[at]));
        println!("{:14} {files:5} {domains:5}", signal.name);
    }
    Ok(())
}

fn read(path: &str) -> Result<Vec<Commit>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        let at = header.iter().position(|header| header == name);
        at.ok_or_else(|| format!("{path}: no column `{name}`"))
    };
    let (repo, title, body) = (column("repo")?, column("title")?, column("body")?);
    let (files, domains) = (column("files_changed")?, column("n_core_domains")?);
    let mut commits = Vec::new();
    for row in reader.records() {
        let row = row?;
        let text = format!("{}\n\n{}", &row[title], &row[body]);
        let assessment = assess_text(&text, &Repository::default());
        commits.push(Commit {
            repo: row[repo].to_owned(),
            values: signals(&request::read(&text).wanted()),
            by_keywords: by_keywords(&text),
            by_words: [
                assessment.is_complex_by_words(),
                assessment.is_multi_domain_by_words(),
            ],
            is_split: assessment.approach != Approach::Direct,
            labels: [
                row[files].parse::<u32>()? >= 4,
                row[domains].parse::<u32>()? >= 2,
            ],
        });
    }
    Ok(commits)
}

/// Baselines: what one would look for without data, for size and for domains. Each is held against
/// both labels, since the one that is meant for a label need not be the better one.
const KEYWORDS: [&str; 2] = ["keywords of size", "keywords of two domains"];

fn by_keywords(text: &str) -> [bool; 2] {
    const LARGE: &[&str] = &[
        "add",
        "feature",
        "implement",
        "introduce",
        "migrate",
        "move",
        "new",
        "refactor",
        "rename",
        "replace",
        "rewrite",
        "support",
    ];
    const DOMAINS: [&[&str]; 3] = [
        &[
            "add",
            "fix",
            "implement",
            "support",
            "refactor",
            "change",
            "remove",
            "update",
            "improve",
            "rename",
            "move",
            "feature",
            "bug",
            "code",
            "api",
            "error",
            "handle",
        ],
        &[
            "test",
            "tests",
            "tested",
            "testing",
            "coverage",
            "fixture",
            "fixtures",
            "regression",
            "spec",
            "specs",
        ],
        &[
            "doc",
            "docs",
            "documentation",
            "document",
            "documented",
            "readme",
            "changelog",
            "guide",
            "example",
            "examples",
            "docstring",
        ],
    ];
    let text = text.to_lowercase();
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_owned).collect()
    };
    let title = words(text.lines().next().unwrap_or_default());
    let is_large = title
        .iter()
        .any(|word| LARGE.iter().any(|stem| word.starts_with(stem)));
    let all = words(&text);
    let named = DOMAINS
        .iter()
        .filter(|of| all.iter().any(|word| of.contains(&word.as_str())));
    [is_large, named.count() >= 2]
}

fn log_odds(weights: &Weights, commit: &Commit) -> f64 {
    let products = commit
        .values
        .iter()
        .zip(&weights.of)
        .map(|(value, weight)| value * weight);
    weights.base + products.sum::<f64>()
}

/// Logistic regression by gradient descent, with every step the same.
fn fit(commits: &[&Commit], label: usize) -> Weights {
    let mut weights = Weights {
        base: 0.0,
        of: [0.0; SIGNALS],
    };
    let count = commits.len() as f64;
    for _ in 0..STEPS {
        let mut base = 0.0;
        let mut of = [0.0; SIGNALS];
        for commit in commits {
            let expected = 1.0 / (1.0 + (-log_odds(&weights, commit)).exp());
            let error = expected - f64::from(u8::from(commit.labels[label]));
            base += error;
            for (sum, value) in of.iter_mut().zip(&commit.values) {
                *sum += error * value;
            }
        }
        weights.base -= STEP * base / count;
        for (weight, sum) in weights.of.iter_mut().zip(of) {
            *weight -= STEP * (sum + RIDGE * *weight) / count;
        }
    }
    weights
}

/// The mean of the shares that were found among those that are and those that are not.
fn balanced(hits: &[(bool, bool)]) -> f64 {
    let share = |label: bool| {
        let of: Vec<_> = hits.iter().filter(|(is, _)| *is == label).collect();
        let found = of.iter().filter(|(is, says)| is == says).count();
        found as f64 / of.len().max(1) as f64
    };
    f64::midpoint(share(true), share(false))
}
