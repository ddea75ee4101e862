//! The Lambda plan-capacity: wiring only.
