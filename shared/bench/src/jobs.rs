//! The whole bench: who is played on what in which setting, on all cores.
//!
//! Not here: one contender on one trace (`contender`), and what comes of many (`summary`,
//! `whole_bill`).

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

use crate::contender::{Contender, Judged};
use crate::recording::Recording;
use crate::score::NotScored;
use crate::setting::{BENCH, Variants};

/// One contender on one trace, in settings that share a run.
struct Job {
    trace: usize,
    contender: Contender,
    variants: usize,
}

/// What came of one contender on one trace in one setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Place of the trace among the recordings.
    pub trace: usize,
    /// Name of the setting.
    pub setting: &'static str,
    /// How it did.
    pub judged: Judged,
    /// Seconds that playing took.
    pub seconds: f64,
}

/// What hears of a bench while it is played, from several threads.
pub trait Observer: Sync {
    /// Why it cannot go on.
    type Error: From<NotScored> + Send;

    /// So many minutes are to be played in all.
    fn begins(&self, _minutes: usize) {}

    /// So many more minutes are done.
    fn minutes(&self, _minutes: usize) {}

    /// A run in the bench setting is done.
    ///
    /// # Errors
    /// What makes the bench end here.
    fn run(&self, trace: &Trace, contender: Contender, run: &StreamRun) -> Result<(), Self::Error>;
}

/// Plays `asked` on every recording in the bench setting, which is the first of `variants`; in the
/// others Weir alone. The optimum is always played, to compare with. Outcomes come in no particular
/// order.
///
/// # Errors
/// The observer's, and where a recording is too short to be scored.
pub fn play_all<O: Observer>(
    recordings: &[Recording],
    asked: &[Contender],
    variants: &[Variants],
    observer: &O,
) -> Result<Vec<Outcome>, O::Error> {
    let jobs = jobs(recordings, asked, variants.len());
    observer.begins(jobs.iter().map(|job| recordings[job.trace].trace.minutes.len()).sum());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || -> Result<(), O::Error> {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = play(job, &recordings[job.trace].trace, &variants[job.variants], observer);
            let done = done.inspect_err(|_| next.store(jobs.len(), Ordering::Relaxed))?;
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(jobs.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(outcomes.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The slowest come first, so that all cores end together.
fn jobs(recordings: &[Recording], asked: &[Contender], variants: usize) -> Vec<Job> {
    let weir_is_compared = variants > 1;
    let mut jobs = Vec::new();
    for variants in 0..variants {
        for contender in Contender::ALL {
            let needed = match contender {
                Contender::Optimum => true,
                Contender::Weir if weir_is_compared => true,
                _ => variants == 0 && asked.contains(&contender),
            };
            if needed {
                let traces = 0..recordings.len();
                jobs.extend(traces.map(|trace| Job { trace, contender, variants }));
            }
        }
    }
    jobs.sort_by_key(|job| {
        let minutes = recordings[job.trace].trace.minutes.len();
        (job.contender, std::cmp::Reverse(minutes))
    });
    jobs
}

fn play<O: Observer>(
    job: &Job,
    trace: &Trace,
    variants: &Variants,
    observer: &O,
) -> Result<Vec<Outcome>, O::Error> {
    let mut outcomes = Vec::new();
    let mut run: Option<(StreamRun, f64)> = None;
    for (name, setting) in &variants.settings {
        // The optimum knows what it is judged by; everybody else does the same whatever that is.
        let kept = run.take().filter(|_| job.contender != Contender::Optimum);
        let (played, seconds) = kept.unwrap_or_else(|| {
            let start = Instant::now();
            let first = outcomes.is_empty();
            let hear = |minutes| {
                if first {
                    observer.minutes(minutes);
                }
            };
            (job.contender.play(trace, setting, hear), start.elapsed().as_secs_f64())
        });
        if *name == BENCH {
            observer.run(trace, job.contender, &played)?;
        }
        let judged = job.contender.judge(&played, setting)?;
        outcomes.push(Outcome { trace: job.trace, setting: name, judged, seconds });
        run = Some((played, seconds));
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_sim::evenness::EvennessOverTime;
    use weir_sim::generate;

    use super::*;

    /// Counts what it hears.
    #[derive(Default)]
    struct Counts {
        expected: AtomicUsize,
        minutes: AtomicUsize,
        runs: AtomicUsize,
    }

    impl Observer for Counts {
        type Error = NotScored;

        fn begins(&self, minutes: usize) {
            self.expected.store(minutes, Ordering::Relaxed);
        }

        fn minutes(&self, minutes: usize) {
            self.minutes.fetch_add(minutes, Ordering::Relaxed);
        }

        fn run(&self, _: &Trace, _: Contender, _: &StreamRun) -> Result<(), NotScored> {
            self.runs.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    fn recordings(days: usize) -> Vec<Recording> {
        let recording = |seed| Recording {
            trace: generate::days(seed, Timestamp::UNIX_EPOCH, days, 1),
            class: "growth".to_owned(),
        };
        [1, 2].map(recording).into()
    }

    #[test]
    fn every_trace_meets_every_contender_and_the_optimum_is_best() {
        let recordings = recordings(2);
        let counts = Counts::default();
        let asked = [Contender::AwsSample, Contender::Target60];
        let outcomes =
            play_all(&recordings, &asked, &[Variants::bench(&EvennessOverTime::EVEN)], &counts)
                .expect("outcomes");
        let j = |contender| {
            let of = |o: &&Outcome| o.judged.contender == contender && o.trace == 0;
            outcomes.iter().find(of).expect("an outcome").judged.score.j
        };
        assert!(j(Contender::Optimum) < j(Contender::Target60));
        assert!(j(Contender::Target60) < j(Contender::AwsSample));
        assert_eq!((outcomes.len(), counts.runs.into_inner()), (6, 6), "the optimum too");
        let minutes = 6 * recordings[0].trace.minutes.len();
        assert_eq!((counts.expected.into_inner(), counts.minutes.into_inner()), (minutes, minutes));
    }

    #[test]
    fn other_settings_are_played_by_weir_alone_and_pricing_needs_no_run_of_its_own() {
        let recordings = recordings(2);
        let counts = Counts::default();
        let asked = [Contender::DoubleHalve];
        let variants = &Variants::sensitivities(&EvennessOverTime::EVEN)[..2];
        let outcomes = play_all(&recordings, &asked, variants, &counts).expect("outcomes");
        let of = |contender, setting| {
            let same = |o: &&Outcome| o.judged.contender == contender && o.setting == setting;
            outcomes.iter().filter(same).count()
        };
        assert_eq!([of(Contender::Weir, BENCH), of(Contender::Weir, "reshard 2 min")], [2, 2]);
        assert_eq!(of(Contender::DoubleHalve, "penalty x10"), 2);
        assert_eq!(of(Contender::DoubleHalve, "reshard 2 min"), 0);
        assert_eq!(of(Contender::Optimum, "reshard 2 min"), 2);
    }

    #[test]
    fn a_recording_without_a_scored_minute_ends_the_bench() {
        let asked = [Contender::FixedAtPeak];
        let outcomes = play_all(
            &recordings(1),
            &asked,
            &[Variants::bench(&EvennessOverTime::EVEN)],
            &Counts::default(),
        );
        assert!(outcomes.is_err());
    }
}
