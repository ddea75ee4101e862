//! What [`crate::Aws`] has to know of an installation, read from an environment: all at once, every
//! fault named.
//!
//! Not here: region, credentials and endpoints, which the SDK reads itself; what only functions
//! need (`weir-lambda`).

use std::fmt;

use thiserror::Error;
use weir_control::installation::Place;
use weir_core::alarms::AlarmPrefix;

/// Where an installation keeps and sends things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `WEIR_LEDGER_TABLE`: the DynamoDB table of the ledger.
    pub ledger_table: String,
    /// `WEIR_EVENT_BUS`: the bus Weir's events go to.
    pub event_bus: String,
    /// `WEIR_ALARM_PREFIX`: what the names of this installation's alarms begin with.
    pub alarm_prefix: AlarmPrefix,
    /// Where alerts go; only raise-alerts needs it.
    pub topics: Option<Topics>,
}

/// The SNS topics, by ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// `WEIR_NOTICES_TOPIC`: for what can wait until the morning.
    pub notices: String,
    /// `WEIR_PAGES_TOPIC`: for what cannot.
    pub pages: String,
    /// `WEIR_CHAT_TOPIC`: for a chat channel, where there is one.
    pub chat: Option<String>,
    /// Where they are, and Weir with them.
    pub place: Place,
}

/// Partition, region and account of a service's ARN.
pub(crate) fn place(of: &str, arn: &str) -> Option<Place> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, service, region, account, name] = parts[..] else { return None };
    let whole =
        service == of && [partition, region, account, name].iter().all(|part| !part.is_empty());
    let owned = |part: &str| part.to_owned();
    whole.then(|| Place {
        partition: owned(partition),
        region: owned(region),
        account: owned(account),
    })
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{variable}: {message}; {fix}")]
pub struct SettingFault {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// How to mend it.
    pub fix: &'static str,
}

/// All faults of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct SettingFaults(pub Vec<SettingFault>);

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(SettingFault::to_string).collect();
        f.write_str(&faults.join(" / "))
    }
}

const EVENT_BUS: &str = "default";

impl Settings {
    /// Of an account in which Weir is not installed: there is no ledger, so whatever reads or
    /// writes it fails.
    pub fn without_installation() -> Settings {
        Settings {
            ledger_table: String::new(),
            event_bus: EVENT_BUS.to_owned(),
            alarm_prefix: AlarmPrefix::default(),
            topics: None,
        }
    }

    /// Reads them through `lookup`, which gives a variable's value. An empty value is none.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or cannot be used.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingFaults> {
        let set = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let mut faults = Vec::new();
        let ledger_table = set("WEIR_LEDGER_TABLE").unwrap_or_else(|| {
            faults.push(SettingFault {
                variable: "WEIR_LEDGER_TABLE",
                message: "is not set".to_owned(),
                fix: "set it to the name of the ledger's DynamoDB table, the stack's output LedgerTable",
            });
            String::new()
        });
        let alarm_prefix = match set("WEIR_ALARM_PREFIX").as_deref().map(AlarmPrefix::new) {
            None => AlarmPrefix::default(),
            Some(Ok(prefix)) => prefix,
            Some(Err(error)) => {
                faults.push(SettingFault {
                    variable: "WEIR_ALARM_PREFIX",
                    message: error.to_string(),
                    fix: "write a prefix of this installation's own, such as weir-",
                });
                AlarmPrefix::default()
            }
        };
        let mut topic = |variable: &'static str| {
            let arn = set(variable)?;
            if place("sns", &arn).is_none() {
                faults.push(SettingFault {
                    variable,
                    message: format!("{arn:?} is no topic's ARN"),
                    fix: "write it as arn:aws:sns:REGION:ACCOUNT:NAME",
                });
            }
            Some(arn)
        };
        let (notices, pages) = (topic("WEIR_NOTICES_TOPIC"), topic("WEIR_PAGES_TOPIC"));
        let chat = topic("WEIR_CHAT_TOPIC");
        let topics = notices.zip(pages).and_then(|(notices, pages)| {
            let place = place("sns", &notices)?;
            Some(Topics { notices, pages, chat, place })
        });
        let settings = Settings {
            ledger_table,
            event_bus: set("WEIR_EVENT_BUS").unwrap_or_else(|| EVENT_BUS.to_owned()),
            alarm_prefix,
            topics,
        };
        if faults.is_empty() { Ok(settings) } else { Err(SettingFaults(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, SettingFaults> {
        let value = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Settings::read(value)
    }

    #[test]
    fn only_the_table_must_be_named() {
        let settings = read(&[("WEIR_LEDGER_TABLE", "ledger"), ("WEIR_EVENT_BUS", "")]);
        let settings = settings.expect("settings");
        assert_eq!(settings.ledger_table, "ledger");
        assert_eq!(settings.event_bus, "default");
        assert_eq!(settings.alarm_prefix, AlarmPrefix::default());
    }

    #[test]
    fn where_alerts_go_is_read_from_the_topics() {
        let arn = |name: &str| format!("arn:aws-cn:sns:cn-north-1:111122223333:{name}");
        let (notices, pages) = (arn("notices"), arn("pages"));
        let table = ("WEIR_LEDGER_TABLE", "ledger");
        let both = [table, ("WEIR_NOTICES_TOPIC", &*notices), ("WEIR_PAGES_TOPIC", &*pages)];
        let topics = read(&both).expect("settings").topics.expect("topics");
        assert_eq!((&topics.pages, topics.chat), (&pages, None));
        let owned = str::to_owned;
        let (partition, region) = (owned("aws-cn"), owned("cn-north-1"));
        assert_eq!(topics.place, Place { partition, region, account: owned("111122223333") });
        let wrong = [table, ("WEIR_PAGES_TOPIC", "pages")];
        let faults = read(&wrong).expect_err("faults").to_string();
        assert!(faults.contains("WEIR_PAGES_TOPIC: \"pages\" is no topic's ARN"), "{faults}");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = read(&[("WEIR_ALARM_PREFIX", "weir")]).expect_err("faults");
        assert_eq!(faults.0.len(), 2);
        let text = faults.to_string();
        assert!(text.contains("WEIR_LEDGER_TABLE: is not set; set it to"), "{text}");
        assert!(text.contains("WEIR_ALARM_PREFIX: \"weir\" is no alarm prefix"), "{text}");
    }
}
