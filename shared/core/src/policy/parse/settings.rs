//! Sets the fields of a policy from the keys of a table, row by row. Not here: the rows
//! (`policy::keys`).

use std::ops::{Range, RangeInclusive};

use toml_span::de_helpers::TableHelper;
use toml_span::value::Value;

use super::Parser;
use crate::consumer::ConsumerName;
use crate::policy::keys::{Key, KeyTable, Kind, SHARD_COUNTS};
use crate::policy::{Bounds, Policy};
use crate::units::{Shards, Share, Usd};

impl Parser<'_> {
    /// What the table states; the rest of `policy` stays as it is, and so does what has a fault.
    pub(super) fn settings(
        &mut self,
        table: &mut TableHelper<'_>,
        of: &KeyTable,
        policy: &mut Policy,
    ) {
        let base = policy.bounds;
        let bounds_place = ["max_shards", "min_shards"]
            .iter()
            .find_map(|key| table.table.get(*key))
            .map_or(0..0, |value| value.span.into());
        for key in of.all_keys().filter(|key| key.is_setting()) {
            let Some((_, value)) = table.take(key.name) else { continue };
            if set(key, &value, policy).is_none() {
                self.cannot_be(key, &value);
            }
        }
        policy.bounds = self.checked(policy.bounds, bounds_place).unwrap_or(base);
    }

    fn checked(&mut self, bounds: Bounds, place: Range<usize>) -> Option<Bounds> {
        let (min, max) = (bounds.min(), bounds.max());
        let checked = Bounds::new(min, max);
        if checked.is_none() {
            let message = format!("min_shards {min} is above max_shards {max}");
            self.fault(place, message, "raise max_shards or lower min_shards");
        }
        checked
    }

    /// The fault of a value that its key does not allow.
    pub(super) fn cannot_be(&mut self, key: &Key, value: &Value<'_>) {
        let message = format!("{} cannot be {}", key.name, self.shown(value));
        self.fault(value.span.into(), message, key.fix());
    }
}

/// Sets the field of a key; `None` where the key does not allow the value, or sets no field by
/// itself.
fn set(key: &Key, value: &Value<'_>, policy: &mut Policy) -> Option<()> {
    match &key.kind {
        Kind::Choice(choices) => {
            let word = value.as_str()?;
            let choice = choices.iter().find(|choice| choice.word == word)?;
            (choice.set)(policy);
        }
        Kind::Shards(field) => {
            *field(policy) = Shards::at_least_one(whole(value, &SHARD_COUNTS)?);
        }
        Kind::Whole { range, field, .. } => *field(policy) = whole(value, range)?,
        Kind::Percent { range, field } => *field(policy) = Share::percent(whole(value, range)?)?,
        Kind::Dollars { range, field } => *field(policy) = Usd::new(dollars(value, range)?),
        Kind::Price { range, units, field } => *field(policy) = dollars(value, range)? / units,
        Kind::Consumers(field) => {
            let name = |item: &Value<'_>| ConsumerName::new(item.as_str()?).ok();
            *field(policy) = value.as_array()?.iter().map(name).collect::<Option<_>>()?;
        }
        Kind::Version
        | Kind::Table(_)
        | Kind::Tables(_)
        | Kind::Text { .. }
        | Kind::Days
        | Kind::ShardCount => return None,
    }
    Some(())
}

/// A whole number in the range.
pub(super) fn whole(value: &Value<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
    let number = value.as_integer().and_then(|n| u32::try_from(n).ok());
    number.filter(|number| range.contains(number))
}

/// A number in the range, whole or not.
fn dollars(value: &Value<'_>, range: &RangeInclusive<f64>) -> Option<f64> {
    let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
    number.filter(|number| range.contains(number))
}
