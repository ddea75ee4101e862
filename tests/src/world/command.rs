//! The command `weir`, as an operator of this account types it.

use std::process::Command;

use super::{REGION, World, nowhere};
use crate::binaries::weir_binary;
use crate::failure::{Context, Failure, Result};

impl World {
    /// Runs the command with these settings beside those of the functions, and gives what it
    /// printed.
    pub fn weir(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let output = Command::new(weir_binary()?)
            .args(arguments)
            .env_clear()
            .envs(self.settings())
            .envs(settings.iter().copied())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("HOME", nowhere())
            .output()
            .context(|| "run weir".into())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("weir {}: {said}", arguments.join(" "))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
