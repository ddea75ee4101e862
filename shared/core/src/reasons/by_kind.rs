//! One type per kind, made from the rows of the catalogue.
//!
//! `by_kind!` sorts the entries (kind, then name, reporting and meaning) into one list a kind, an
//! entry a step, and then makes a type of each list. Not here: the rows (`reasons`).

macro_rules! by_kind {
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Clamp $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)* $e] [$($h)*] [$($r)*] [$($s)*] [$($f)*] [$($q)*]; $($rest)* }
    };
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Hold $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)*] [$($h)* $e] [$($r)*] [$($s)*] [$($f)*] [$($q)*]; $($rest)* }
    };
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Refusal $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)*] [$($h)*] [$($r)* $e] [$($s)*] [$($f)*] [$($q)*]; $($rest)* }
    };
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Skip $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)*] [$($h)*] [$($r)*] [$($s)* $e] [$($f)*] [$($q)*]; $($rest)* }
    };
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Failure $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)*] [$($h)*] [$($r)*] [$($s)*] [$($f)* $e] [$($q)*]; $($rest)* }
    };
    ([$($c:tt)*] [$($h:tt)*] [$($r:tt)*] [$($s:tt)*] [$($f:tt)*] [$($q:tt)*]; Silence $e:tt $($rest:tt)*) => {
        by_kind! { [$($c)*] [$($h)*] [$($r)*] [$($s)*] [$($f)*] [$($q)* $e]; $($rest)* }
    };
    ($clamps:tt $holds:tt $refusals:tt $skips:tt $failures:tt $silences:tt;) => {
        one_kind! { "Why a plan asks for another size than demand does." ClampReason $clamps }
        one_kind! { "Why a plan changes nothing, or withholds something." HoldReason $holds }
        one_kind! { "Why an order was turned down, by Weir or by AWS." RefusalReason $refusals }
        one_kind! { "Why no plan was made." SkipReason $skips }
        one_kind! { "What failed in Weir itself." FailureReason $failures }
        one_kind! { "Why nothing is told of a consumer's failure." SilenceReason $silences }
        holds_of_clamps! { $clamps }
    };
}

macro_rules! one_kind {
    ($doc:literal $kind:ident [$(($name:ident $reporting:ident $meaning:literal))+]) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $kind {
            $(
                #[doc = $meaning]
                $name,
            )+
        }

        impl $kind {
            /// All of this kind, in the order of the catalogue.
            pub const ALL: &'static [$kind] = &[$($kind::$name),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                Reason::from(self).code()
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                Reason::from(self).meaning()
            }

            /// What a person can do about it, as a sentence.
            pub fn remedy(self) -> &'static str {
                Reason::from(self).remedy()
            }

            /// Who hears of it when it is given as this kind.
            pub fn reporting(self) -> Reporting {
                match self { $($kind::$name => Reporting::$reporting),+ }
            }
        }

        impl From<$kind> for Reason {
            fn from(reason: $kind) -> Reason {
                match reason { $($kind::$name => Reason::$name),+ }
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

/// The clamp that leaves nothing of a change is the reason of the hold.
macro_rules! holds_of_clamps {
    ([$(($name:ident $reporting:ident $meaning:literal))+]) => {
        impl From<ClampReason> for HoldReason {
            fn from(reason: ClampReason) -> HoldReason {
                match reason { $(ClampReason::$name => HoldReason::$name),+ }
            }
        }
    };
}
