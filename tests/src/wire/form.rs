//! Forms of the query protocol (`Action=Publish&...`), which SNS speaks.
//!
//! Here: percent-encoding both ways. Not here: the meaning of the fields.

use serde_json::Value;

pub(super) fn fields(body: &[u8]) -> Vec<(String, String)> {
    body.split(|byte| *byte == b'&')
        .filter_map(|field| {
            let at = field.iter().position(|byte| *byte == b'=')?;
            Some((decode(&field[..at]), decode(&field[at + 1..])))
        })
        .collect()
}

pub(super) fn write(body: &Value, operation: &str) -> String {
    let mut form = format!("Action={operation}");
    for (name, value) in body.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.push_str(&format!("&{}={}", encode(name), encode(&value)));
    }
    form
}

fn decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_as_it_was_written() {
        let body = serde_json::json!({ "Message": "50 % = ½ & more", "TopicArn": "arn:aws:sns:x" });
        let form = write(&body, "Publish");
        let fields = fields(form.as_bytes());
        assert!(fields.contains(&("Action".into(), "Publish".into())), "{fields:?}");
        assert!(fields.contains(&("Message".into(), "50 % = ½ & more".into())), "{fields:?}");
    }

    #[test]
    fn a_broken_escape_is_kept_as_text() {
        assert_eq!(decode(b"100%&"), "100%&");
        assert_eq!(decode(b"%zz+%41"), "%zz A");
    }
}
