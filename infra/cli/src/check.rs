//! `weir check`: every fault of every policy, before an operator deploys it.

use std::path::PathBuf;

use crate::faults::{Failure, FaultCount};
use crate::policies;

pub(crate) fn run(paths: &[PathBuf]) -> Result<(), Failure> {
    let mut faults = 0;
    for path in paths {
        match policies::read(path) {
            Ok(read) => {
                for (file, entries) in read.files {
                    let plural = if entries == 1 { "y" } else { "ies" };
                    println!("{}: {entries} entr{plural}, no fault", file);
                }
            }
            Err(Failure::Policies(FaultCount(found))) => faults += found,
            Err(failure) => return Err(failure),
        }
    }
    if faults > 0 { Err(Failure::Policies(FaultCount(faults))) } else { Ok(()) }
}
