//! Installs packages of the distribution, where this is one whose packages are known here and the user is root. Says
//! what it installs and why before it does; where it cannot, says what to install.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What is needed, which packages of Debian's and Ubuntu's bring it, and what for.
pub(crate) struct Need {
    pub(crate) programs: &'static [&'static str],
    pub(crate) packages: &'static [&'static str],
    pub(crate) why: &'static str,
}

impl Need {
    /// Whether every program is there.
    pub(crate) fn is_met(&self) -> bool {
        self.programs.iter().all(|program| is_installed(program))
    }

    /// Installs the packages unless every program is there.
    ///
    /// # Errors
    ///
    /// Where the packages cannot be installed from here; the message says what to do by hand.
    pub(crate) fn meet(&self) -> Result<()> {
        if self.is_met() {
            return Ok(());
        }
        let packages = self.packages.join(" ");
        if !is_debian_like() {
            bail!(
                "{} is not installed, and only packages of Debian and Ubuntu are known: \
                 install it with this system's package manager ({})",
                self.programs.join(", "),
                self.why
            );
        }
        if !is_root() {
            bail!(
                "cannot install {packages} without root ({}): \
                 run `sudo apt-get install {packages}`",
                self.why
            );
        }
        println!("installing {packages} with apt-get: {}", self.why);
        apt_get(&["update", "-qq"])?;
        let install = ["install", "-qq", "--yes", "--no-install-recommends"];
        apt_get(&[&install, self.packages].concat())
            .with_context(|| format!("cannot install {packages}"))
    }
}

/// Whether `program` is found where a shell would look, or where system programs are.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|directory| directory.join(program).is_file())
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn is_debian_like() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    Path::new("/usr/bin/apt-get").exists() && names_debian(&release)
}

/// Whether an `os-release` file is Debian's, Ubuntu's, or that of something made from one of them.
fn names_debian(release: &str) -> bool {
    release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or(line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split_whitespace())
        .any(|id| matches!(id, "debian" | "ubuntu"))
}

/// Runs `apt-get` and shows its output only where it fails: hundreds of lines, none of which anybody needs.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot run `apt-get`")?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!(
            "`apt-get {}` ended with {}:\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&text).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::names_debian;

    #[test]
    fn debian_and_what_is_made_from_it_are_told_from_others() {
        assert!(names_debian("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(names_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!names_debian("ID=fedora\nID_LIKE=\"rhel centos\"\n"));
    }
}
