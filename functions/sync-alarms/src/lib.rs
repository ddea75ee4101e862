//! The Lambda sync-alarms: wiring only.
