//! R of Weir by world, against optima that were found before: `worlds SHARED_TRACES WORLDS TRACES [POLICY]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use weir_twin::bench::{Contender, Setting, is_forecastable};
use weir_twin::evenness::Unevenness;
use weir_twin::trace::Trace;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let dir = std::path::PathBuf::from(&args[1]);
    let worlds: Vec<String> = args[2].split(',').map(str::to_owned).collect();
    let who = Contender::named(args.get(4).map_or("weir-provisioned", |s| s)).unwrap();
    let delay: u32 = args.get(5).map_or(0, |s| s.parse().unwrap());
    let out = args.get(6).cloned();
    let optima: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("evenness/optima.json")).unwrap()).unwrap();
    let mut traces = Vec::new();
    let mut names: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        let name = path.file_stem().unwrap().to_string_lossy().to_string();
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path.with_extension("json")).unwrap()).unwrap();
        let class = json["cls"].as_str().unwrap().to_owned();
        let wanted = match args[3].as_str() {
            "all" => true,
            "f" => is_forecastable(&class),
            "u" => !is_forecastable(&class),
            list => list.split(',').any(|n| n == name),
        };
        if wanted {
            traces.push((class, Trace::read(&name, &name, std::fs::File::open(path).unwrap()).unwrap()));
        }
    }
    let evenness: Vec<&'static Unevenness> = worlds
        .iter()
        .map(|w| {
            let text = std::fs::read_to_string(dir.join(format!("evenness/{w}.json"))).unwrap();
            &*Box::leak(Box::new(Unevenness::read(&text).unwrap()))
        })
        .collect();
    let mut jobs: Vec<(usize, usize)> =
        (0..worlds.len()).flat_map(|w| (0..traces.len()).map(move |t| (w, t))).collect();
    jobs.sort_by_key(|(_, t)| std::cmp::Reverse(traces[*t].1.minutes.len()));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|s| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            s.spawn(|| {
                while let Some((w, t)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let setting = Setting { evenness: Some(evenness[*w]), metric_delay_minutes: delay, ..Setting::BENCH };
                    let start = std::time::Instant::now();
                    let run = who.play(&traces[*t].1, &setting, |_| {});
                    let seconds = start.elapsed().as_secs_f64();
                    let score = who.judge(&run, &setting).unwrap();
                    let best = &optima[&worlds[*w]][&traces[*t].1.name];
                    let s = &score.score;
                    println!(
                        "  {:12} {:18} R {:.3}  cost {:.3}  thr {:.3} ({:.3})  calls {:.1} viol {} {:.1}s",
                        worlds[*w], traces[*t].1.name, s.j / best["J"].as_f64().unwrap(),
                        s.cost_vs_fixed() / best["cost"].as_f64().unwrap(), s.throttled_percent,
                        best["throttled_pct"].as_f64().unwrap(), s.calls_per_day, score.violations, seconds
                    );
                    if let Some(out) = &out {
                        let mut text = String::from("called_at,effective_at,action,from,to\n");
                        text += &format!("{},{},start,,{}\n", run.start, run.start, run.initial_shards);
                        for r in &run.reshards {
                            text += &format!("{},{},reshard,{},{}\n", r.called_at, r.effective_at, r.from, r.to);
                        }
                        std::fs::write(format!("{out}/{}.{}.csv", worlds[*w], traces[*t].1.name), text).unwrap();
                    }
                    done.lock().unwrap().insert((*w, *t), (score, seconds));
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    for (w, world) in worlds.iter().enumerate() {
        
        let (mut logs, mut served, mut all, mut best_served, mut cost_logs) = (vec![], 0, vec![], 0, vec![]);
        for (t, (class, trace)) in traces.iter().enumerate() {
            let (judged, _) = &done[&(w, t)];
            let best = &optima[world][&trace.name];
            let s = &judged.score;
            let r = s.j / best["J"].as_f64().unwrap();
            let cost = s.cost_vs_fixed() / best["cost"].as_f64().unwrap();
            all.push(r.ln());
            if is_forecastable(class) {
                logs.push(r.ln());
                cost_logs.push(cost.ln());
                served += u32::from(s.throttled_percent < 0.1);
                best_served += u32::from(best["throttled_pct"].as_f64().unwrap() < 0.1);
            }
        }
        let mean = |v: &[f64]| (v.iter().sum::<f64>() / v.len().max(1) as f64).exp();
        println!(
            "= {world:12} R {:.3} cost {:.3} served {}/{} (best {}) R all {:.3}",
            mean(&logs), mean(&cost_logs), served, logs.len(), best_served, mean(&all)
        );
    }
}
