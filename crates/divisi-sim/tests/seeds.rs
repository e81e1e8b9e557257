//! Ten thousand seeds, and broken variants that must not pass.
//!
//! `DIVISI_SIM_SEEDS` raises how many seeds are played, never below [`SEEDS_MIN`];
//! `DIVISI_SIM_FIRST` says where to begin. `DIVISI_SIM_ONLY` plays one seed alone.

use std::sync::atomic::{AtomicU64, Ordering};

use divisi_sim::{Break, Coverage, Oracle, Violation, run_seed};

/// No setting plays fewer.
const SEEDS_MIN: u64 = 10_000;
/// Each fault occurs at least so often over [`SEEDS_MIN`] seeds.
const FAULTS_MIN: u64 = 100;
/// Each pair of the transition table occurs at least so often over [`SEEDS_MIN`] seeds.
const PAIRS_MIN: u64 = 20;
/// A broken variant is caught within so many seeds.
const SEEDS_OF_BREAKS: u64 = 400;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn say(seed: u64, violation: &Violation) -> String {
    format!(
        "seed {seed}: {:?}: {}\nreproduce it: DIVISI_SIM_ONLY={seed} cargo test -p divisi-sim --test seeds one_seed -- --nocapture",
        violation.oracle, violation.what
    )
}

/// Plays seeds on two threads; the lowest failing one is told.
fn play(first: u64, count: u64) -> Result<Coverage, String> {
    let next = AtomicU64::new(first);
    let failed = AtomicU64::new(u64::MAX);
    let work = || {
        let mut coverage = Coverage::default();
        let mut told = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || seed > failed.load(Ordering::Relaxed) {
                return (coverage, told);
            }
            match run_seed(seed, None) {
                Ok(one) => coverage.add(&one),
                Err(violation) => {
                    failed.fetch_min(seed, Ordering::Relaxed);
                    told.push((seed, violation));
                }
            }
        }
    };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(work);
        let other = scope.spawn(work);
        (
            one.join().expect("violations are results"),
            other.join().expect("violations are results"),
        )
    });
    let told = one.1.iter().chain(&other.1);
    if let Some((seed, violation)) = told.min_by_key(|(seed, _)| *seed) {
        return Err(say(*seed, violation));
    }
    let mut coverage = one.0;
    coverage.add(&other.0);
    Ok(coverage)
}

#[test]
fn every_seed_ends_and_nothing_is_violated() {
    let count = number("DIVISI_SIM_SEEDS").unwrap_or(0).max(SEEDS_MIN);
    let first = number("DIVISI_SIM_FIRST").unwrap_or(1);
    let coverage = match play(first, count) {
        Ok(coverage) => coverage,
        Err(what) => panic!("{what}"),
    };
    println!("{count} seeds from {first}: {}", coverage.table());
    let lacks = coverage.lacks(FAULTS_MIN, PAIRS_MIN);
    assert!(lacks.is_empty(), "too rare to prove anything: {lacks:#?}");
}

#[test]
fn one_seed_gives_the_same_again() {
    let seed = number("DIVISI_SIM_ONLY").unwrap_or(1);
    let once = run_seed(seed, None);
    if let Err(violation) = &once {
        panic!("{}", say(seed, violation));
    }
    let again = run_seed(seed, None);
    let table = |result: Result<Coverage, Violation>| result.map(|coverage| coverage.table());
    assert_eq!(table(once), table(again));
}

#[test]
fn every_broken_variant_is_caught_by_its_oracle() {
    let first = number("DIVISI_SIM_FIRST").unwrap_or(1);
    let catch = |broken: Break| -> Result<(u64, Oracle), String> {
        for seed in first..first + SEEDS_OF_BREAKS {
            if let Err(violation) = run_seed(seed, Some(broken)) {
                let fits = broken.caught_by().contains(&violation.oracle);
                return match fits {
                    true => Ok((seed, violation.oracle)),
                    false => Err(format!("{broken:?}: {}", say(seed, &violation))),
                };
            }
        }
        Err(format!("{broken:?} passed {SEEDS_OF_BREAKS} seeds"))
    };
    let mut missed = Vec::new();
    for broken in Break::ALL {
        match catch(broken) {
            Ok((seed, oracle)) => println!("{broken:?} is caught at seed {seed} by {oracle:?}"),
            Err(what) => missed.push(what),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
