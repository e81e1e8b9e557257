//! Killed at any time: the engine, its supervisor, or both.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::outcome::{assert_same_end, finish, go_on, undisturbed_run, view};
use crate::stage::{Process, Stage, side_by_side, until};

/// How many kills there are unless `DIVISI_CRASH_KILLS` says otherwise.
const KILLS: u64 = 200;

/// Kills of one scenario: a task that was lost once more often than this is left to a person.
const KILLS_A_SCENARIO: u64 = 4;

/// A small generator (splitmix64): the seed and the number of the scenario give all its numbers.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How long a run takes here and now that nobody disturbs.
fn usual() -> Duration {
    static TOOK: OnceLock<Duration> = OnceLock::new();
    *TOOK.get_or_init(|| {
        let stage = Stage::new();
        let begun = Instant::now();
        undisturbed_run(&stage).assert_code(0);
        begun.elapsed()
    })
}

/// Waits for a moment: for some part of the time that a run usually takes, or for some part of its
/// progress, which also finds somebody to kill where it goes faster than usual.
fn wait(stage: &Stage, process: &mut Process, dice: &mut Dice) {
    let micros = if dice.roll(2) == 0 {
        usual().as_micros() as u64
    } else {
        let written = || view(stage).map_or(0, |view| view.last_id().unwrap_or(0));
        let enough = written() + dice.roll(20);
        until("progress", || written() >= enough || process.is_over());
        20_000
    };
    std::thread::sleep(Duration::from_micros(dice.roll(micros)));
}

/// Plays one scenario; gives how many kills met somebody.
fn play(seed: u64, number: u64, kills: u64) -> u64 {
    let mut dice = Dice(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let stage = Stage::new();
    let plan = stage.plan();
    let mut met = 0;
    while met < kills {
        let Some(mut process) = go_on(&stage, &plan, None) else {
            break;
        };
        wait(&stage, &mut process, &mut dice);
        match dice.roll(5) {
            0 => {
                let supervisor = stage.supervisor();
                stage.kill_supervisor();
                met += u64::from(supervisor.is_some());
                process.end().assert_code(0);
            }
            1 => {
                met += u64::from(!process.is_over());
                process.kill();
                stage.kill_supervisor();
            }
            _ => {
                met += u64::from(!process.is_over());
                process.kill();
            }
        }
    }
    finish(&stage, &plan);
    assert_same_end(&stage);
    met
}

#[test]
fn killed_at_any_time_a_run_comes_to_the_same_end() {
    let wanted = setting("DIVISI_CRASH_KILLS").unwrap_or(KILLS);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = setting("DIVISI_CRASH_SEED").unwrap_or(clock.as_nanos() as u64);
    println!("DIVISI_CRASH_SEED={seed}, undisturbed {:?}", usual());
    let met = AtomicU64::new(0);
    // Some kills come when everything has ended: as many scenarios as could ever be needed.
    let scenarios: Vec<u64> = (0..wanted).collect();
    side_by_side(&scenarios, |number| {
        let left = wanted.saturating_sub(met.load(Ordering::SeqCst));
        if left > 0 {
            let kills = left.min(KILLS_A_SCENARIO);
            met.fetch_add(play(seed, *number, kills), Ordering::SeqCst);
        }
    });
    let met = met.into_inner();
    println!("{met} kills");
    assert!(met >= wanted, "{met} of {wanted}");
}
