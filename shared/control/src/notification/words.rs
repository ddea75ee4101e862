//! How times, shares and names are written in messages. Not here: the sentences around them
//! (`text`).

use jiff::{SignedDuration, Timestamp};

/// A length of time in its two largest units: `3 d 4 h`, `47 min`.
pub fn length(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(0);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A time to the minute, always UTC.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A share in percent. A little is not nothing.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        little if little > 0.0 && little < 1.0 => "less than 1 %".to_owned(),
        share => format!("{share:.0} %"),
    }
}

/// CloudWatch's way to write a time, which is not RFC 3339.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// A name cut in its middle to at most `most` characters. Names are ASCII.
pub(super) fn short(name: &str, most: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= most {
        return name.to_owned();
    }
    let kept = most.saturating_sub(2);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    chars[..head].iter().chain(&['.', '.']).chain(&chars[chars.len() - tail..]).collect()
}

/// What a channel of `most` plain characters takes.
pub(super) fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).take(most).collect()
}

/// What people call a region; its code where nobody told us.
pub(super) fn region(code: &str) -> &str {
    REGIONS.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

/// As CloudWatch writes them into its own messages.
const REGIONS: [(&str, &str); 20] = [
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
    ("ca-central-1", "Canada (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("eu-south-1", "EU (Milan)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("af-south-1", "Africa (Cape Town)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_shares_are_as_coarse_as_they_are_long() {
        let minutes = |m| length(SignedDuration::from_mins(m));
        assert_eq!(
            [minutes(-5), minutes(47), minutes(120), minutes(130), minutes(1440), minutes(5_000)],
            ["0 min", "47 min", "2 h", "2 h 10 min", "1 d", "3 d 11 h"]
        );
        assert_eq!([percent(0.0), percent(0.004), percent(0.52)], ["0 %", "less than 1 %", "52 %"]);
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(short("orders", 10), "orders");
        assert_eq!(short("orders-of-the-whole-company-eu", 12), "order..ny-eu");
        assert_eq!(plain("a\u{e9}\nb", 9), "a??b");
    }
}
