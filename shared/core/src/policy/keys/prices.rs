//! The rows of `[prices]`: what the account pays. Not here: what AWS asks (`limits::prices`).

use std::ops::RangeInclusive;

use super::{Key, KeyTable, Kind, Word};
use crate::limits::prices::US_EAST_1;
use crate::policy::AccountPrices;

/// What is ten times as dear as in us-east-1, or a tenth of it, is likelier a slip of units than a
/// price.
const PLAUSIBLE_USD: RangeInclusive<f64> = 0.001..=1.0;

/// What the account pays.
pub static PRICES: KeyTable = KeyTable {
    place: "[prices]",
    does: "What your account pays, for every stream of this file. Decisions are weighed with it, \
           and `weir backtest` counts with it; `weir estimate` and `weir bench` take AWS's list. \
           Leave it out in us-east-1 without discounts. A single price holds in place of the \
           list's, where your region is dearer or you have a discount. A GB is 2^30 bytes here, as \
           AWS bills it. Enhanced fan-out has no key: no decision counts with its price.",
    keys: &[
        Key {
            name: "on_demand",
            does: "Price list of your account for streams on demand. What an account has committed \
                   to is not counted: it is paid in any case.",
            kind: Kind::Choice(&[
                Word {
                    word: "standard",
                    means: "as every account has it",
                    set: |policy| policy.prices = AccountPrices::standard(&US_EAST_1),
                },
                Word {
                    word: "advantage",
                    means: "on-demand Advantage",
                    set: |policy| policy.prices = AccountPrices::advantage(&US_EAST_1),
                },
            ]),
        },
        Key {
            name: "shard_hour_usd",
            does: "An open shard, for an hour.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1.0,
                field: |policy| &mut policy.prices.provisioned.shard_hour_usd,
            },
        },
        Key {
            name: "put_units_million_usd",
            does: "A million PUT payload units.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1e6,
                field: |policy| &mut policy.prices.provisioned.put_unit_usd,
            },
        },
        Key {
            name: "extended_retention_shard_hour_usd",
            does: "Keeping records longer than a day, for an hour and an open shard.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1.0,
                field: |policy| &mut policy.prices.provisioned.extended_retention_shard_hour_usd,
            },
        },
        Key {
            name: "stream_hour_usd",
            does: "A stream on demand, for an hour; nothing with Advantage.",
            kind: Kind::Price {
                range: 0.0..=1.0,
                units: 1.0,
                field: |policy| &mut policy.prices.on_demand.stream_hour_usd,
            },
        },
        Key {
            name: "in_gb_usd",
            does: "A GB written on demand.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1.0,
                field: |policy| &mut policy.prices.on_demand.in_gb_usd,
            },
        },
        Key {
            name: "out_gb_usd",
            does: "A GB that a polling consumer reads on demand.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1.0,
                field: |policy| &mut policy.prices.on_demand.out_gb_usd,
            },
        },
        Key {
            name: "extended_retention_gb_month_usd",
            does: "A GB older than a day, on demand, for a month.",
            kind: Kind::Price {
                range: PLAUSIBLE_USD,
                units: 1.0,
                field: |policy| &mut policy.prices.on_demand.extended_retention_gb_month_usd,
            },
        },
    ],
    settings: &[],
    required: &[],
    example: "",
};
