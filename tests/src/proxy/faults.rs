//! Faults that a test scripts: errors, lost answers, held calls, outages.
//!
//! Here: which fault meets which call. Not here: what a fault does to it
//! (`Interceptor::answer_a_function`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::gate::{Gate, Hold};
use crate::failure::AwsError;
use crate::wire::{Call, Service};

/// How a service is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// It answers HTTP 500.
    InternalError,
    /// It closes the connection with nothing sent.
    HangUp,
}

#[derive(Clone)]
pub(super) enum Effect {
    Refuse(AwsError),
    HangUp,
    LoseAnswer,
    Hold(Gate, Hold),
}

#[derive(Default)]
pub(super) struct Faults(Mutex<Script>);

#[derive(Default)]
struct Script {
    next: Vec<(String, Effect)>,
    down: HashMap<Service, Outage>,
}

impl Faults {
    pub(super) fn script(&self, count: usize, operation: &str, effect: &Effect) {
        let faults = std::iter::repeat_with(|| (operation.to_owned(), effect.clone()));
        self.lock().next.extend(faults.take(count));
    }

    pub(super) fn take_down(&self, service: Service, outage: Outage) {
        self.lock().down.insert(service, outage);
    }

    pub(super) fn heal(&self, service: Service) {
        self.lock().down.remove(&service);
    }

    pub(super) fn effect_on(&self, call: &Call) -> Option<Effect> {
        let mut script = self.lock();
        match script.down.get(&call.service) {
            Some(Outage::HangUp) => return Some(Effect::HangUp),
            Some(Outage::InternalError) => {
                let error = AwsError::internal("InternalServerError", "scripted outage");
                return Some(Effect::Refuse(error));
            }
            None => {}
        }
        let index = script.next.iter().position(|(operation, _)| *operation == call.operation)?;
        Some(script.next.remove(index).1)
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
