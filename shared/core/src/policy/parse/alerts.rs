//! Reads the knobs about consumers and what is told of them. Not here: what they mean (`policy::alerts`).

use toml_span::de_helpers::TableHelper;
use toml_span::value::{Value, ValueInner};

use super::{DAY_MINUTES, Reader};
use crate::consumer::ConsumerName;
use crate::policy::{AlertPolicy, Telling};

impl Reader<'_> {
    /// The knobs about consumers.
    pub(super) fn alerts(
        &mut self,
        table: &mut TableHelper<'_>,
        base: &AlertPolicy,
    ) -> AlertPolicy {
        let tellings = [
            ("escalate", Telling::Escalate),
            ("page", Telling::Page),
            ("notice", Telling::Notice),
            ("off", Telling::Off),
        ];
        AlertPolicy {
            telling: self.choice(table, "consumer_alerts", &tellings).unwrap_or(base.telling),
            lag_alarm: self.share(table, "lag_alarm_percent", 1..=90).unwrap_or(base.lag_alarm),
            page_at_life: self
                .share(table, "page_at_life_percent", 1..=99)
                .unwrap_or(base.page_at_life),
            page_after_minutes: self
                .integer(table, "page_after_minutes", 0..=DAY_MINUTES)
                .unwrap_or(base.page_after_minutes),
            repeat_page_minutes: self
                .integer(table, "repeat_page_minutes", 5..=DAY_MINUTES)
                .unwrap_or(base.repeat_page_minutes),
            kcl_applications: self
                .names(table, "kcl_applications")
                .unwrap_or_else(|| base.kcl_applications.clone()),
            polling_consumers: self
                .names(table, "polling_consumers")
                .unwrap_or_else(|| base.polling_consumers.clone()),
        }
    }

    fn names(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
    ) -> Option<Vec<ConsumerName>> {
        let (_, mut value) = table.take(key)?;
        let span = value.span.into();
        let name = |item: &Value<'_>| item.as_str().and_then(|name| ConsumerName::new(name).ok());
        let names = match value.take() {
            ValueInner::Array(items) => items.iter().map(name).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if names.is_none() {
            let fix = format!("write {key} = [\"a-name\"], of letters, digits, '_', '.' and '-'");
            self.fault(span, format!("{key} is not a list of consumers' names"), fix);
        }
        names
    }
}
