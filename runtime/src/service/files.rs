//! Files that go into a service's container and come out of it.

use std::path::Path;

use super::handle::Service;
use crate::{Operation, copies};

impl Service {
    /// Writes a file in its container: bytes or text to an absolute path. The file has just these bytes.
    ///
    /// It is what [`copy_in`](Self::copy_in) makes of a file with the mode 644: it is owned by the user that the container runs
    /// as; directories on the way to it that are missing are made, and are root's; a file or link that is there is replaced; and
    /// nothing is written into what is mounted, but into volumes.
    ///
    /// The content is in this process's memory until it is sent. What is larger than that, `copy_in` copies from a file.
    ///
    /// ```no_run
    /// # async fn asynchronous(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// app.write("/etc/app/app.toml", "verbose = true\n").await?;
    /// # Ok(()) }
    /// # fn plain(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// app.write("/srv/photo.jpg", [0xff, 0xd8, 0xff]).wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the path is not absolute, is a directory's, or is in what is mounted; where the engine cannot write it.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) -> Operation<()> {
        copies::write(&self.lease, &self.info, path, content.into())
            .within(self.bound_of(format!("write({path:?}, ..)")))
    }

    /// Reads a file of its container: all its bytes. Links are followed, as reading a file does everywhere.
    ///
    /// The content is in this process's memory as a whole, whatever its size. What is larger than that,
    /// [`copy_out`](Self::copy_out) copies to a file.
    ///
    /// Engines see the files that are stored: of what the kernel makes up when it is read (`/proc`, `/sys`) they see nothing or
    /// an empty file. A command prints it: `exec(["cat", "/proc/meminfo"])`.
    ///
    /// ```no_run
    /// # async fn asynchronous(app: seatrial::Service) -> Result<(), Box<dyn std::error::Error>> {
    /// let report = String::from_utf8(app.read("/srv/report.csv").await?)?;
    /// # Ok(()) }
    /// # fn plain(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let photo: Vec<u8> = app.read("/srv/photo.jpg").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the path is not absolute, nothing is there, or it is not a file: for a directory, [`copy_out`](Self::copy_out);
    /// where it is in a tmpfs, of which engines see nothing; where the file changes while it is read.
    #[track_caller]
    pub fn read(&self, path: &str) -> Operation<Vec<u8>> {
        copies::read(&self.lease, &self.info, path).within(self.bound_of(format!("read({path:?})")))
    }

    /// Copies a file, directory or link of this machine to the absolute path `to` in its container, as `cp -a from to` would
    /// where `to` does not exist yet:
    ///
    /// * Symbolic links are copied as links, wherever they lead, and never followed; `from` itself too. Of files with several
    ///   names (hard links) in the copy, the copies are one file too.
    /// * Modes, and times to the second, are kept; set-user-id and set-group-id bits are not.
    /// * Everything is owned by the user that the container runs as: `user = ".."`, or the image's. Directories on the way to
    ///   `to` that are missing are made, and are root's.
    /// * Files and links that are there already are replaced by files and links, and directories are filled. Nothing takes the place of
    ///   what is of another kind, such as a file that of a directory or a directory that of a link: that is an error. If it concerns
    ///   `to` itself, nothing is copied.
    /// * Sockets, fifos and devices are not copied. The error names each, and everything else is copied.
    /// * What would come into a mount, the source or a tmpfs is refused before anything is copied: an engine would write it
    ///   into this machine's files, or where it is hidden. A volume takes it. Links in the container that lead there are not
    ///   seen.
    ///
    /// The files are read while they are copied, whatever their size, and are not held in memory.
    ///
    /// ```no_run
    /// # use seatrial::Service;
    /// # fn example(db: Service) -> Result<(), seatrial::Error> {
    /// db.copy_in("tests/data", "/srv/data").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where `from` cannot be read or changes its size meanwhile; where `to` cannot be written or is in what is mounted; where a path
    /// in the container is a directory and its counterpart in `from` is not, or the other way round; where something is of a kind that
    /// is not copied. Files that were copied by then stay in the container.
    #[track_caller]
    pub fn copy_in(&self, from: impl AsRef<Path>, to: &str) -> Operation<()> {
        copies::copy_in(&self.lease, &self.info, from.as_ref(), to)
            .within(self.bound_of(format!("copy_in(.., {to:?})")))
    }

    /// Copies the file, directory or link `from` of its container to the path `to` on this machine, as `cp -a from to` would
    /// where `to` does not exist yet. Missing directories are made.
    ///
    /// * Symbolic links are copied as links, and mean on this machine what they say there. They are never followed: `from`
    ///   itself is copied as a link too, and nothing is written through one, so nothing outside of `to`. To copy what a link
    ///   leads to, name that.
    /// * Modes, and times to the second, are kept; owners, set-user-id and set-group-id bits are not: everything is owned by the
    ///   user who runs the test.
    /// * Fifos and devices are not copied. The error names each, and everything else is copied. Engines leave out sockets within
    ///   a directory, and what is in a tmpfs, without a word.
    /// * Files and links that are at `to` already are replaced, and directories are filled. What is of another kind is an error.
    ///
    /// ```no_run
    /// # use seatrial::Service;
    /// # fn example(app: Service) -> Result<(), seatrial::Error> {
    /// app.copy_out("/var/log/app", "target/app-log").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where `from` is not there, `to` cannot be written, or something is of a kind that is not copied. A file that is not whole
    /// does not stay; those before it do.
    #[track_caller]
    pub fn copy_out(&self, from: &str, to: impl AsRef<Path>) -> Operation<()> {
        copies::copy_out(&self.lease, &self.info, from, to.as_ref())
            .within(self.bound_of(format!("copy_out({from:?}, ..)")))
    }
}
