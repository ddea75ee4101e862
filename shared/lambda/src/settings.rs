//! What a function is told by its environment.
//!
//! Not here: what reaching AWS needs of it (`weir_aws::Settings`).

use std::path::PathBuf;

use weir_aws::{SettingFaults, Settings};

/// The settings of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionSettings {
    /// What reaching AWS needs.
    pub(crate) aws: Settings,
    /// `WEIR_POLICY_DIR`: the folder of the policies.
    pub(crate) policy_dir: PathBuf,
}

/// Where the layer of policies is unpacked.
const POLICY_DIR: &str = "/opt/weir/policies";

impl FunctionSettings {
    /// Reads them through `lookup`, which gives a variable's value. An empty value is none.
    pub(crate) fn read(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<FunctionSettings, SettingFaults> {
        let policy_dir = lookup("WEIR_POLICY_DIR").filter(|value| !value.trim().is_empty());
        let policy_dir = policy_dir.map_or_else(|| POLICY_DIR.into(), PathBuf::from);
        Ok(FunctionSettings { aws: Settings::read(lookup)?, policy_dir })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_are_the_layers_where_nothing_else_is_said() {
        let folder = |set: &'static str| {
            let lookup = |name: &str| match name {
                "WEIR_POLICY_DIR" => Some(set.to_owned()),
                "WEIR_LEDGER_TABLE" => Some("ledger".to_owned()),
                _ => None,
            };
            FunctionSettings::read(lookup).expect("settings").policy_dir
        };
        assert_eq!(folder(" "), PathBuf::from("/opt/weir/policies"));
        assert_eq!(folder("/elsewhere"), PathBuf::from("/elsewhere"));
    }
}
