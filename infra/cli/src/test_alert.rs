//! `weir test-alert`: a marked message, and its end, to all who subscribe to a topic.
//!
//! Not here: what it says (`weir_control::raise_alerts::test_alert`).

use clap::ValueEnum;
use weir_control::ports::{Clock, SendNotification};
use weir_control::raise_alerts::test_alert;
use weir_core::policy::Severity;

use crate::faults::Failure;
use crate::live;

/// Who is to get it.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Audience {
    /// Who subscribes to notices.
    Notices,
    /// Who subscribes to pages: this wakes somebody.
    Pages,
}

pub(crate) fn run(to: Audience, who: &live::Who) -> Result<(), Failure> {
    let severity = match to {
        Audience::Notices => Severity::Notice,
        Audience::Pages => Severity::Page,
    };
    live::with_aws(who, async |aws| {
        let settings = aws.settings();
        let topics = settings.topics.as_ref().ok_or(Failure::NoTopics)?;
        let prefix = &settings.alarm_prefix;
        for alert in test_alert(prefix, &topics.place, severity, aws.now())? {
            aws.send_notification(&alert).await?;
            println!("sent to {severity}s: {}", alert.subject);
        }
        Ok(())
    })
}
