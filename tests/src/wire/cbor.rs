//! CBOR as rpc-v2-cbor writes it, and JSON.
//!
//! Here: both conversions; in JSON a timestamp (CBOR tag 1) is its seconds since 1970. Not here:
//! which operation has which members, save that timestamps are known by their name.

use ciborium::Value as Cbor;
use serde_json::Value as Json;

use crate::failure::{Context, Result};

const TIMESTAMP: u64 = 1;

pub(crate) fn read(bytes: &[u8]) -> Result<Cbor> {
    ciborium::from_reader(bytes).context(|| "read CBOR".into())
}

pub(crate) fn write(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

pub(crate) fn to_json(value: &Cbor) -> Json {
    match value {
        Cbor::Integer(integer) => {
            i64::try_from(i128::from(*integer)).map_or(Json::Null, Json::from)
        }
        Cbor::Float(float) => Json::from(*float),
        Cbor::Bool(boolean) => Json::from(*boolean),
        Cbor::Text(text) => Json::from(text.as_str()),
        Cbor::Bytes(bytes) => Json::from(bytes.as_slice()),
        Cbor::Array(items) => items.iter().map(to_json).collect(),
        Cbor::Map(members) => members.iter().map(|(k, v)| (key(k), to_json(v))).collect(),
        Cbor::Tag(_, inner) => to_json(inner),
        _ => Json::Null,
    }
}

fn key(value: &Cbor) -> String {
    value.as_text().map_or_else(|| format!("{value:?}"), str::to_owned)
}

pub(crate) fn from_json(value: &Json) -> Cbor {
    match value {
        Json::Null => Cbor::Null,
        Json::Bool(boolean) => Cbor::Bool(*boolean),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Cbor::Integer(integer.into()),
            None => Cbor::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Cbor::Text(text.clone()),
        Json::Array(items) => Cbor::Array(items.iter().map(from_json).collect()),
        Json::Object(members) => Cbor::Map(
            members
                .iter()
                .map(|(name, value)| (name.as_str().into(), member(name, value)))
                .collect(),
        ),
    }
}

fn member(name: &str, value: &Json) -> Cbor {
    if value.is_number() && matches!(name, "StartTime" | "EndTime" | "Timestamp") {
        return Cbor::Tag(TIMESTAMP, Box::new(from_json(value)));
    }
    from_json(value)
}

/// The member of a map by its name.
pub(crate) fn get<'a>(map: &'a Cbor, name: &str) -> Option<&'a Cbor> {
    map.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

/// The same, to be changed.
pub(crate) fn get_mut<'a>(map: &'a mut Cbor, name: &str) -> Option<&'a mut Cbor> {
    map.as_map_mut()?
        .iter_mut()
        .find(|(key, _)| key.as_text() == Some(name))
        .map(|(_, value)| value)
}

/// Moves a timestamp; anything else is left as it is.
pub(crate) fn make_later(timestamp: &mut Cbor, by_seconds: i64) {
    let Cbor::Tag(TIMESTAMP, seconds) = timestamp else { return };
    let seconds_now = to_json(seconds).as_f64().unwrap_or(f64::NAN);
    // Seconds since 1970 are whole in a double.
    #[allow(clippy::cast_precision_loss)]
    let later = seconds_now + by_seconds as f64;
    **seconds = Cbor::Float(later);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_tagged_by_their_name_and_nothing_else_is() {
        let json = serde_json::json!({ "StartTime": 1_795_247_078, "Period": 60, "Values": [0.5] });
        let cbor = from_json(&json);
        assert!(get(&cbor, "StartTime").is_some_and(Cbor::is_tag));
        assert!(get(&cbor, "Period").is_some_and(Cbor::is_integer));
        let back = read(&write(&cbor)).expect("what was written can be read");
        assert_eq!(to_json(&back), json);
    }

    #[test]
    fn only_timestamps_are_made_later() {
        let mut all = from_json(&serde_json::json!({ "StartTime": 1_795_247_078, "Period": 60 }));
        for name in ["StartTime", "Period"] {
            make_later(get_mut(&mut all, name).expect("a member"), 300);
        }
        let later = serde_json::json!({ "StartTime": 1_795_247_378.0, "Period": 60 });
        assert_eq!(to_json(&all), later);
    }
}
