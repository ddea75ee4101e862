//! The policy files of a folder: which, in which order, and what of them can be read.
//!
//! The one place of this crate that touches a disk, so that `weir check` and the functions cannot
//! differ in it. Not here: what the files say (`weir_core::policy`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use weir_core::policy::PolicyFile;

/// The file at `path`; or, of a folder, every `.toml` in the order of names. What cannot be read is
/// among the files, with the reason; so is a folder without any.
pub fn read(path: &Path) -> Vec<PolicyFile> {
    if !path.is_dir() {
        return vec![file(path)];
    }
    match toml_files(path) {
        Ok(files) if files.is_empty() => vec![unreadable(path, "it holds no .toml file")],
        Ok(files) => files.iter().map(|path| file(path)).collect(),
        Err(error) => vec![unreadable(path, &error.to_string())],
    }
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn file(path: &Path) -> PolicyFile {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    PolicyFile { name: path.display().to_string(), text }
}

fn unreadable(path: &Path, why: &str) -> PolicyFile {
    PolicyFile { name: path.display().to_string(), text: Err(why.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn with(name: &str, files: &[(&str, &[u8])]) -> Folder {
            let folder = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            for (name, content) in files {
                fs::write(folder.join(name), content).expect("a file");
            }
            Folder(folder)
        }

        /// The files' names within the folder, and their texts.
        fn read(&self) -> Vec<(String, Result<String, String>)> {
            let prefix = format!("{}/", self.0.display());
            let within = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
            read(&self.0).into_iter().map(|file| (within(&file.name), file.text)).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let folder =
            Folder::with("order", &[("2.toml", b"b"), ("1.toml", b"a"), ("notes.md", b"c")]);
        let expected = [("1.toml", "a"), ("2.toml", "b")];
        let expected = expected.map(|(name, text)| (name.to_owned(), Ok(text.to_owned())));
        assert_eq!(folder.read(), expected);
    }

    #[test]
    fn what_cannot_be_read_stands_at_its_place_among_the_others() {
        let folder =
            Folder::with("broken", &[("a.toml", b"a"), ("b.toml", b"\xff\xfe"), ("d.toml", b"d")]);
        fs::create_dir(folder.0.join("c.toml")).expect("a folder");
        let read = folder.read();
        let sound: Vec<(&str, bool)> =
            read.iter().map(|(name, text)| (name.as_str(), text.is_ok())).collect();
        assert_eq!(
            sound,
            [("a.toml", true), ("b.toml", false), ("c.toml", false), ("d.toml", true)]
        );
    }

    #[test]
    fn no_folder_and_an_empty_one_are_told() {
        let empty = Folder::with("empty", &[("notes.md", b"c")]);
        let [(_, text)] = &empty.read()[..] else { panic!("one") };
        assert_eq!(*text, Err("it holds no .toml file".to_owned()));
        let [file] = &read(Path::new("/nowhere/at/all"))[..] else { panic!("one") };
        assert_eq!((file.name.as_str(), file.text.is_err()), ("/nowhere/at/all", true));
    }
}
