//! Law 9: no page is repeated within its reminder interval, and every message has its recovery.

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::incident::{Message, Occasion};
use crate::policy::Severity;

/// What is wrong with the messages of one incident, in the order in which they were decided on.
/// `repeat_page` is the interval of its policy; `is_over` says that nothing more will be told of
/// it.
pub fn of_messages(
    messages: &[Message],
    repeat_page: SignedDuration,
    is_over: bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut paged_at: Option<Timestamp> = None;
    for severity in [Severity::Notice, Severity::Page] {
        let mut told = false;
        for message in messages.iter().filter(|message| message.severity == severity) {
            match (message.occasion, severity) {
                (Occasion::Recovered, _) if !told => {
                    found.push(Finding::fatal(
                        9,
                        format!("recovered from nothing at {}", message.at),
                    ));
                }
                (Occasion::Recovered, _) => told = false,
                (_, Severity::Page) => {
                    told = true;
                    let since = paged_at.map(|before| message.at.duration_since(before));
                    if let Some(since) = since.filter(|since| *since < repeat_page) {
                        let minutes = since.as_mins();
                        found.push(Finding::fatal(9, format!("paged again after {minutes} min")));
                    }
                    paged_at = Some(message.at);
                }
                (_, Severity::Notice) => told = true,
            }
        }
        if told && is_over {
            found.push(Finding::fatal(9, format!("a {severity} without a recovery")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use Occasion::{Escalated, Opened, Recovered, Reminder};
    use Severity::{Notice, Page};

    /// What is found of messages at these minutes, where a page may be repeated each hour.
    fn found(messages: &[(i64, Occasion, Severity)], is_over: bool) -> Vec<String> {
        let message =
            |(number, (minute, occasion, severity)): (u32, &(i64, Occasion, Severity))| {
                let at = Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time");
                Message { number, occasion: *occasion, severity: *severity, at }
            };
        let messages: Vec<Message> = (1..).zip(messages).map(message).collect();
        let found = of_messages(&messages, SignedDuration::from_mins(60), is_over);
        found.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn pages_keep_their_interval_and_all_ends_are_told() {
        let whole = [
            (0, Opened, Notice),
            (30, Escalated, Page),
            (90, Reminder, Page),
            (100, Recovered, Page),
            (100, Recovered, Notice),
        ];
        assert_eq!(found(&whole, true), [""; 0]);
        assert_eq!(found(&whole[..4], true), ["law 9: a notice without a recovery"]);
        assert_eq!(found(&whole[..4], false), [""; 0]);
        let hasty = [(30, Opened, Page), (89, Reminder, Page)];
        assert_eq!(found(&hasty, false), ["law 9: paged again after 59 min"]);
        assert_eq!(found(&[(5, Recovered, Page)], true).len(), 1);
    }
}
