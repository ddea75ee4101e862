//! What an account pays, as far as decisions count with it: AWS's list, or what the policy says
//! instead.
//!
//! Not here: the lists and their sources (`limits::prices`), reading TOML (`policy::parse`), or
//! bills (`bill`).

use crate::limits::prices::{OnDemandPrices, Prices, ProvisionedPrices, US_EAST_1};

/// The prices of one account. What a policy does not state is counted as in us-east-1, wherever the
/// stream is: no other list is known, and none is guessed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountPrices {
    /// Capacity mode provisioned.
    pub provisioned: ProvisionedPrices,
    /// Capacity mode on-demand, by the list that the account has.
    pub on_demand: OnDemandPrices,
}

impl AccountPrices {
    /// What holds where a policy says nothing: on-demand Standard, in us-east-1.
    pub const DEFAULT: AccountPrices = AccountPrices::standard(&US_EAST_1);

    /// An account without a commitment.
    pub const fn standard(prices: &Prices) -> AccountPrices {
        AccountPrices { provisioned: prices.provisioned, on_demand: prices.standard }
    }

    /// An account that has on-demand Advantage. What it has committed to is left out: the account
    /// pays it whatever mode one stream is in. Below the commitment a stream on demand adds even
    /// less to the bill than is counted.
    pub const fn advantage(prices: &Prices) -> AccountPrices {
        let on_demand = OnDemandPrices { committed_gb_per_hour: 0.0, ..prices.advantage };
        AccountPrices { provisioned: prices.provisioned, on_demand }
    }
}
