//! The loop raise-alerts.

pub mod facts;
