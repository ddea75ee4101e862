//! Who may depend on whom, read from `cargo metadata`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::files::{root, shown, text};

/// Which of Weir's crates the crates of a folder may depend on. Folders stand for the crates in
/// them. The tests may use all.
const LAYERS: [(&str, &[&str]); 8] = [
    ("shared/core", &[]),
    ("shared/control", &["shared/core"]),
    ("shared/aws", &["shared/core", "shared/control"]),
    ("shared/lambda", &["shared/core", "shared/control", "shared/aws"]),
    ("functions/", &["shared/core", "shared/control", "shared/aws", "shared/lambda", "functions/"]),
    ("shared/sim", &["shared/core", "shared/control"]),
    ("shared/bench", &["shared/core", "shared/control", "shared/sim"]),
    ("infra/", &["shared/core", "shared/control", "shared/aws", "shared/sim", "shared/bench"]),
];

/// All that `weir-core` stands on: nothing that knows a clock, chance, a file or a network.
const CORE_STANDS_ON: [&str; 4] = ["jiff", "serde", "thiserror", "toml-span"];

#[test]
fn crates_depend_downwards_only() {
    let packages = packages();
    for package in packages.iter().filter(|p| !p.folder.starts_with("tests")) {
        let folder = &package.folder;
        let Some((_, below)) = LAYERS.iter().find(|(layer, _)| folder.starts_with(layer)) else {
            panic!("{folder} is a new room: say in LAYERS what its crates may depend on");
        };
        for used in package.uses.iter().filter(|used| used.own) {
            let home = packages.iter().find(|p| p.name == used.name).map_or("", |p| &p.folder);
            assert!(
                below.iter().any(|layer| home.starts_with(layer)),
                "{} must not depend on {}: core <- control <- aws <- lambda <- functions; \
                 control <- sim <- bench <- the command. Move the code to the lower crate",
                package.name,
                used.name
            );
        }
    }
}

#[test]
fn only_weir_aws_names_the_sdk() {
    for package in packages().iter().filter(|p| p.folder != "shared/aws") {
        for used in &package.uses {
            assert!(
                !used.name.starts_with("aws-"),
                "{} names {}: put the call behind a port in weir-aws",
                package.name,
                used.name
            );
        }
    }
}

#[test]
fn core_stands_on_nothing_that_acts() {
    let packages = packages();
    let core = packages.iter().find(|p| p.name == "weir-core");
    for used in core.iter().flat_map(|core| &core.uses).filter(|used| !used.dev) {
        assert!(
            CORE_STANDS_ON.contains(&used.name.as_str()),
            "weir-core depends on {}: if it is pure, add it to CORE_STANDS_ON with a decision in \
             docs/decisions; if not, its place is weir-control or higher",
            used.name
        );
    }
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: String,
    pub(crate) description: String,
    pub(crate) uses: Vec<Used>,
}

pub(crate) struct Used {
    pub(crate) name: String,
    pub(crate) own: bool,
    pub(crate) dev: bool,
}

pub(crate) fn packages() -> Vec<Package> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .map(|output| serde_json::from_slice::<Value>(&output.stdout).unwrap_or(Value::Null));
    let metadata = metadata.unwrap_or(Value::Null);
    let packages = metadata["packages"].as_array();
    let Some(packages) = packages else { panic!("cargo metadata gave no packages") };
    packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            description: text(&package["description"]),
            folder: shown(Path::new(&text(&package["manifest_path"])).parent().unwrap_or(&root())),
            uses: package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|used| Used {
                    name: text(&used["name"]),
                    own: used["path"].is_string(),
                    dev: used["kind"] == "dev",
                })
                .collect(),
        })
        .collect()
}
