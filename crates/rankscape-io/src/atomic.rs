//! Writing a file so that a reader sees the old one or the new one, never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rankscape::error::{InputError, Result};

/// Symbolic links that are followed one after the other.
const LINKS_LIMIT: usize = 40;

/// Temporary names that are tried: some may be left from runs that were killed.
const NAMES_LIMIT: usize = 1000;

/// Writes a file under a temporary name in the same folder, flushes it and renames it. A symbolic link is followed, the
/// permissions of a file that is replaced are kept, and a device or a pipe is written to as it is.
///
/// # Errors
/// If the folder does not exist or may not be written, or the disk is full; then no file of that name has changed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically_by(path, |file| file.write_all(bytes))
}

/// The same for what `contents` writes.
///
/// # Errors
/// If the file cannot be written; then no file of that name has changed.
pub fn write_atomically_by(path: &Path, contents: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    let written = if is_device(path) {
        OpenOptions::new().append(true).open(path).and_then(|file| filled(file, contents).map(drop))
    } else {
        write(&output_target(path), contents)
    };
    written.map_err(|error| {
        let error = InputError::new(format!("the file cannot be written: {error}")).file(path.display());
        error.hint("check space and permissions, and that the folder exists")
    })
}

fn filled(file: File, contents: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<File> {
    let mut file = BufWriter::new(file);
    contents(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

fn write(target: &Path, contents: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let before = fs::metadata(target).ok();
    let (file, temporary) = temporary(target)?;
    let put = || {
        if let Some(metadata) = &before {
            file.set_permissions(metadata.permissions())?;
        }
        filled(file, contents)?.sync_all()?;
        fs::rename(&temporary, target)
    };
    put().inspect_err(|_| {
        // The partial file is ours; that it cannot be removed changes nothing about the error.
        let _ = fs::remove_file(&temporary);
    })
}

/// A new file beside the target, which no other run uses.
fn temporary(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or_else(|| io::Error::other("there is no file name"))?.to_string_lossy();
    for count in 0..NAMES_LIMIT {
        let path = target.with_file_name(format!(".{name}.{}-{count}.partial", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return Ok((opened?, path)),
        }
    }
    Err(io::Error::other("too many partial files of runs that were killed"))
}

/// The name is that of a device or a pipe, such as `/dev/null` or `/dev/stdout`.
pub fn is_device(path: &Path) -> bool {
    let special = || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    path.starts_with("/dev") || path.starts_with("/proc") || special()
}

/// The file that a name stands for: symbolic links are followed, also to where nothing is yet.
pub fn output_target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..LINKS_LIMIT {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    target
}

/// Two names of one file through hard links.
#[cfg(unix)]
pub fn are_linked(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    number(a).is_some_and(|found| Some(found) == number(b))
}

/// Two names of one file through hard links; not told here.
#[cfg(not(unix))]
pub fn are_linked(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_permissions_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "old").unwrap();
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", at("link")).unwrap();
        symlink("none", at("dangling")).unwrap();
        for (name, target) in [("link", "file"), ("dangling", "none")] {
            write_atomically(&at(name), b"new").unwrap();
            assert!(fs::symlink_metadata(at(name)).unwrap().is_symlink());
            assert_eq!(fs::read(at(target)).unwrap(), b"new");
        }
        assert_eq!(fs::metadata(at("file")).unwrap().permissions().mode() & 0o777, 0o640);
        write_atomically(Path::new("/dev/null"), b"new").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(write_atomically(folder.path(), b"new").is_err());
        assert!(write_atomically(&at("none/file"), b"new").is_err());
    }
}
