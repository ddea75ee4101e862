//! `weir uninstall`: the alarms Weir made are deleted, and what is left of it is named.
//!
//! Not here: which alarms those are (`weir_control::uninstall`).

use weir_control::uninstall::{self, Uninstalled};

use crate::faults::Failure;
use crate::live;

pub(crate) fn run(who: &live::Who) -> Result<(), Failure> {
    live::with_aws(who, async |aws| {
        let settings = aws.settings();
        match uninstall::run(&aws, &settings.alarm_prefix).await? {
            Uninstalled::StillDeployed(alarm) => return Err(Failure::StillDeployed { alarm }),
            Uninstalled::Alarms(names) => {
                names.iter().for_each(|name| println!("deleted alarm {name}"));
                println!("{} alarms deleted", names.len());
            }
        }
        println!(
            "kept: the ledger {}, with what was used of the day's calls",
            settings.ledger_table
        );
        println!("kept: the versions of the policies' layer, for a rollback");
        println!("kept: every stream, in the size and mode it has; nobody changes it any more");
        Ok(())
    })
}
