//! Reads `[[streams.schedule]]`: the events an operator knows of. Not here: when they are (`time`).

use std::ops::Range;

use toml_span::de_helpers::TableHelper;
use toml_span::value::{Value, ValueInner};

use super::Parser;
use super::settings::whole;
use crate::policy::keys::{SCHEDULE, SHARD_COUNTS};
use crate::policy::schedule::{Need, Schedule};
use crate::policy::{Bounds, ModeSwitches, Policy};
use crate::units::Shards;

impl Parser<'_> {
    /// The schedules of an entry, which else says this.
    pub(super) fn schedules(
        &mut self,
        table: &mut TableHelper<'_>,
        policy: &Policy,
    ) -> Vec<Schedule> {
        let Some((_, mut value)) = table.take("schedule") else { return Vec::new() };
        let span = value.span.into();
        let ValueInner::Array(items) = value.take() else {
            let fix = "write [[streams.schedule]] with two brackets";
            self.fault(span, "schedule is not a list of tables", fix);
            return Vec::new();
        };
        items.into_iter().filter_map(|mut item| self.schedule(&mut item, policy)).collect()
    }

    fn schedule(&mut self, item: &mut Value<'_>, policy: &Policy) -> Option<Schedule> {
        let place: Range<usize> = item.span.into();
        let mut table = self.table(item, "a schedule")?;
        let name = self.name(&mut table, &place);
        let need = self.need(&mut table, &place, policy);
        let when = self.when(&mut table, &place);
        self.refuse_unknown(table, &SCHEDULE);
        Some(Schedule { name: name?, when: when?, need: need? })
    }

    fn name(&mut self, table: &mut TableHelper<'_>, place: &Range<usize>) -> Option<String> {
        let value = self.of_schedule(table, "name", place)?;
        let name = value.as_str().filter(|name| !name.trim().is_empty()).map(str::to_owned);
        self.or_cannot_be("name", &value, name)
    }

    fn need(
        &mut self,
        table: &mut TableHelper<'_>,
        place: &Range<usize>,
        policy: &Policy,
    ) -> Option<Need> {
        match (table.take("min_shards"), table.take("capacity_mode")) {
            (Some((_, value)), None) => self.min_shards(&value, policy.bounds).map(Need::Shards),
            (None, Some((_, value))) => self.on_demand(&value, policy.mode_switches),
            (Some(_), Some((_, value))) => {
                let message = "on demand AWS sets the shards: min_shards means nothing beside it";
                self.fault(value.span.into(), message, "leave one of the two out");
                None
            }
            (None, None) => {
                let fix =
                    "write min_shards = 40, the fewest it needs, or capacity_mode = \"on_demand\"";
                self.fault(place.clone(), "this schedule does not say what it needs", fix);
                None
            }
        }
    }

    fn min_shards(&mut self, value: &Value<'_>, bounds: Bounds) -> Option<Shards> {
        let min = whole(value, &SHARD_COUNTS).map(Shards::at_least_one);
        let min = self.or_cannot_be("min_shards", value, min)?;
        if min > bounds.max() {
            let message =
                format!("min_shards {min} is above the stream's max_shards {}", bounds.max());
            let fix = "raise max_shards of the stream or lower min_shards";
            self.fault(value.span.into(), message, fix);
            return None;
        }
        Some(min)
    }

    fn on_demand(&mut self, value: &Value<'_>, switches: ModeSwitches) -> Option<Need> {
        let need = (value.as_str() == Some("on_demand")).then_some(Need::OnDemand);
        let need = self.or_cannot_be("capacity_mode", value, need)?;
        if switches == ModeSwitches::Never {
            let message = "capacity_mode asks for a switch, and the stream allows none";
            let fix = "write mode_switches = \"automatic\" for the stream";
            self.fault(value.span.into(), message, fix);
            return None;
        }
        Some(need)
    }

    /// The value of a key that each schedule must have.
    pub(super) fn of_schedule<'de>(
        &mut self,
        table: &mut TableHelper<'de>,
        key: &'static str,
        place: &Range<usize>,
    ) -> Option<Value<'de>> {
        self.required(table, &SCHEDULE, key, place, &format!("this schedule has no {key}"))
    }

    /// What was made of a value; a fault where that is nothing.
    pub(super) fn or_cannot_be<T>(
        &mut self,
        key: &'static str,
        value: &Value<'_>,
        made: Option<T>,
    ) -> Option<T> {
        if let (None, Some(key)) = (&made, SCHEDULE.key(key)) {
            self.cannot_be(key, value);
        }
        made
    }
}

#[cfg(test)]
mod tests;
