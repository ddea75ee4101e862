//! Fits the causes of refused writes to the evidence. Not here: what the causes are (`causes`).

use super::causes::{Cell, FACTORS, KEYS, Strengths, factor, key_share};

/// Strength of the prior, in looks at a second.
const PRIOR_LOOKS: f64 = 0.2;
/// How many hot keys of each share there are, before anything is seen.
const PRIOR_KEY: f64 = 0.03;
/// Independent looks at a minute: its seconds.
const LOOKS: f64 = 60.0;
/// Below this capacity over load the mean alone overflows, and seconds tell nothing.
const HEADROOM_MIN: f64 = 0.98;
/// What causes bring depends a little on the other causes: it is worked out anew after so many
/// rounds.
const ROUNDS_BETWEEN: usize = 6;

/// How likely a second of any stream is to bring each factor: seconds evenly spread around the mean
/// up to a busiest one, which is 1.35 times the mean in the median (a recording of single seconds).
static PRIOR_SECONDS: std::sync::LazyLock<[f64; FACTORS]> = std::sync::LazyLock::new(|| {
    const BUSIEST: [(f64, f64); 6] =
        [(1.05, 0.15), (1.15, 0.2), (1.25, 0.2), (1.4, 0.2), (1.6, 0.15), (1.9, 0.1)];
    let half_step = (factor(1) / factor(0)).sqrt();
    std::array::from_fn(|index| {
        let (low, high) = (factor(index) / half_step, factor(index) * half_step);
        let of = |(busiest, weight): &(f64, f64)| {
            weight * (high.min(*busiest) - low).max(0.0) / (2.0 * (busiest - 1.0))
        };
        BUSIEST.iter().map(of).sum::<f64>().max(1e-5)
    })
});

/// What is assumed of a stream that nothing is known of.
pub(super) fn prior() -> Strengths {
    Strengths { seconds: PRIOR_SECONDS.to_vec(), keys: vec![PRIOR_KEY; KEYS] }
}

/// A key that is there with less than this likelihood is none.
const KEY_THERE: f64 = 0.02;

/// Fits all causes, then once more without the keys that are hardly there: many that each refuse
/// next to nothing would hide what busy seconds refuse.
pub(super) fn fit(strengths: &mut Strengths, cells: &[Cell], rounds: usize) {
    let tells = |cell: &&Cell| cell.headroom >= HEADROOM_MIN;
    let cells: Vec<Cell> = cells.iter().filter(tells).copied().collect();
    maximise(strengths, &cells, rounds, [true; KEYS]);
    let mut there = [false; KEYS];
    for (there, strength) in there.iter_mut().zip(&mut strengths.keys) {
        *there = *strength > KEY_THERE;
        if !*there {
            *strength = 0.0;
        }
    }
    maximise(strengths, &cells, rounds, there);
}

/// Each round gives every cause its share of what was refused, in proportion to what it was
/// expected to refuse. Keys that are not `there` stay out of it.
fn maximise(strengths: &mut Strengths, cells: &[Cell], rounds: usize, there: [bool; KEYS]) {
    let mut table = vec![0.0; cells.len() * (FACTORS + KEYS)];
    for round in 0..rounds {
        if round % ROUNDS_BETWEEN == 0 {
            lay_out(strengths, cells, &mut table);
        }
        let mut counts = [0.0; FACTORS + KEYS];
        let mut looks = [0.0; FACTORS + KEYS];
        for (cell, row) in cells.iter().zip(table.chunks_exact(FACTORS + KEYS)) {
            // Seconds that bring less than there is room for refuse nothing.
            let busy = row[..FACTORS].partition_point(|brings| *brings <= 0.0);
            let all = strengths.seconds.iter().chain(&strengths.keys);
            let weight = LOOKS * cell.minutes;
            row.iter()
                .zip(&mut looks)
                .skip(busy)
                .for_each(|(brings, look)| *look += weight * brings);
            if cell.refused <= 0.0 {
                continue;
            }
            let expected: f64 = row.iter().zip(all).skip(busy).map(|(brings, s)| brings * s).sum();
            let counted = weight * cell.refused / expected.max(1e-9);
            row.iter().zip(&mut counts).skip(busy).for_each(|(brings, of)| *of += counted * brings);
        }
        let priors = PRIOR_SECONDS.iter().copied().chain(std::iter::repeat_n(PRIOR_KEY, KEYS));
        let all = strengths.seconds.iter_mut().chain(strengths.keys.iter_mut());
        let takes_part = |index: usize| index < FACTORS || there[index - FACTORS];
        let all = all.zip(priors).enumerate().filter(|(index, _)| takes_part(*index));
        for (index, (strength, prior)) in all {
            *strength =
                (PRIOR_LOOKS + *strength * counts[index]) / (PRIOR_LOOKS / prior + looks[index]);
        }
    }
}

/// What each cause of strength 1 refuses in each cell.
fn lay_out(strengths: &Strengths, cells: &[Cell], table: &mut [f64]) {
    let (spread, busy) = (strengths.spread(), strengths.busy_seconds());
    for (cell, row) in cells.iter().zip(table.chunks_exact_mut(FACTORS + KEYS)) {
        let (seconds, keys) = row.split_at_mut(FACTORS);
        for (index, brings) in seconds.iter_mut().enumerate() {
            *brings = (spread * factor(index) - cell.headroom).max(0.0);
        }
        let elsewhere = spread / (cell.headroom * cell.load);
        for (index, brings) in keys.iter_mut().enumerate() {
            *brings = busy.of_key(key_share(index), elsewhere, cell.load);
        }
    }
}
