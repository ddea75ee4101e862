//! Weir's invariants ("laws", see docs/architecture.md) as a pure lint: what is wrong with a plan,
//! with an order about to be carried out, with a row of actions, or with the messages of an
//! incident.
//!
//! It judges by the inputs, not by what the planner says of itself, so that it can be held against
//! any planner: by property tests, by the simulator at every plan and call, and by the executors
//! just before they act. Not here: law 6 (crashes) and law 7 (bounded time), which only a run can
//! show.
//!
//! ```
//! use weir_core::action::Change;
//! use weir_core::laws;
//! use weir_core::units::Shards;
//!
//! let (from, to) = (Shards::at_least_one(10), Shards::at_least_one(30));
//! let found = laws::of_change(Change::Reshard { from, to });
//! assert_eq!(found[0].to_string(), "law 2: 10 to 30 shards is beyond half or double");
//! ```

mod actions;
mod messages;
mod plan;

use std::fmt;

pub use actions::{of_actions, of_change, of_order};
pub use messages::of_messages;
pub use plan::{of_plan, of_sizing, of_target};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing is harmed, but what is said is not what is done.
    Minor,
    /// It must not be carried out, or should not have been.
    Fatal,
}

/// A law that is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number in docs/architecture.md, 1 to 9.
    pub law: u32,
    /// How much it matters.
    pub grade: Grade,
    /// What was found.
    pub what: String,
}

impl Finding {
    fn fatal(law: u32, what: impl Into<String>) -> Finding {
        Finding { law, grade: Grade::Fatal, what: what.into() }
    }

    fn minor(law: u32, what: impl Into<String>) -> Finding {
        Finding { law, grade: Grade::Minor, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}: {}", self.law, self.what)
    }
}
