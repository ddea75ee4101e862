//! Pausing by hand: only streams that exist, no colleague's note in silence, and it is said which
//! account, region and ledger are meant.

use weir_tests::Result;

use crate::installation::{Installation, STREAM};

fn note(installation: &Installation) -> Result<String> {
    let state = installation.world.ledger_items()?;
    let notes = state.iter().filter_map(|item| item["pause_note"].as_str());
    Ok(notes.collect::<Vec<_>>().join(", "))
}

#[test]
fn a_stream_that_does_not_exist_is_not_paused() -> Result<()> {
    let installation = Installation::with_stream(2, 0.5)?;
    for command in [&["pause", "ordrs", "--note", "typo"][..], &["resume", "ordrs"]] {
        let said = installation.world.weir(command, &[]).expect_err("no such stream").to_string();
        assert!(said.contains("us-east-1 has no stream \"ordrs\": nothing was changed"), "{said}");
    }
    assert_eq!(note(&installation)?, "");
    Ok(())
}

#[test]
fn a_colleagues_note_is_not_replaced_in_silence() -> Result<()> {
    let installation = Installation::with_stream(2, 0.5)?;
    let weir = |arguments: &[&str]| installation.world.weir(arguments, &[]);
    assert!(weir(&["resume", STREAM])?.contains("is not paused"));

    let said = weir(&["pause", STREAM, "--note", "ada: launch"])?;
    for word in ["Weir leaves orders (account ", ", us-east-1, ledger weir-ledger) alone"] {
        assert!(said.contains(word), "{said}");
    }
    let refused = weir(&["pause", STREAM, "--note", "bob: test"]).expect_err("it is paused");
    assert!(refused.to_string().contains("is paused already: \"ada: launch\""), "{refused}");
    assert_eq!(note(&installation)?, "ada: launch");

    weir(&["pause", STREAM, "--note", "bob: test", "--hours", "2", "--replace"])?;
    assert_eq!(note(&installation)?, "bob: test");
    let said = weir(&["resume", STREAM])?;
    assert!(said.contains("It was paused: \"bob: test\", until 20"), "{said}");
    assert_eq!(note(&installation)?, "");
    Ok(())
}
