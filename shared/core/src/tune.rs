//! Research only.
#![allow(missing_docs, clippy::disallowed_methods)]
use std::sync::OnceLock;
pub struct Knobs {
    pub mended: f64, pub hot: f64, pub emerg: f64, pub clamp: f64, pub caution: f64, pub looks: f64, pub a: f64, pub b: f64, pub c: f64, pub d: f64, pub e: f64, pub f: f64,
}
pub fn k() -> &'static Knobs {
    static K: OnceLock<Knobs> = OnceLock::new();
    K.get_or_init(|| {
        let g = |n: &str, d: f64| std::env::var(format!("W_{n}")).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
        Knobs {
            mended: g("MENDED", 0.45), hot: g("HOT", 1.0), emerg: g("EMERG", 0.003), clamp: g("CLAMP", 0.002),
            caution: g("CAUTION", 0.0003), looks: g("LOOKS", 0.05), a: g("A", 600.0), b: g("B", 0.8), c: g("C", 0.9), d: g("D", 0.03), e: g("E", 1.0), f: g("F", 2.5),
        }
    })
}
