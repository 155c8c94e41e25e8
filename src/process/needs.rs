//! What a program needs besides its own files: the system, and environments below the home folder.

use std::env;
use std::path::{Path, PathBuf};

use super::Access;

/// Folders of the system. They hold no one's data.
const SYSTEM: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/proc",
    "/sys",
    "/run/systemd/resolve",
    "/run/opengl-driver",
    "/run/current-system",
    "/home/linuxbrew",
    "/cvmfs",
    "/var/cache/fontconfig",
    "/var/lib/texmf",
];

/// Devices that programs use. The disks, which hold everything, are not among them.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/shm",
    "/dev/dri",
    "/dev/kfd",
    "/dev/nvidiactl",
    "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
    "/dev/nvidia-modeset",
    "/dev/nvidia-caps",
];

/// Where environments of languages and downloaded weights lie in a home folder.
const IN_HOME: &[&str] = &[
    ".local/bin",
    ".local/lib",
    ".local/pipx",
    ".local/share/uv",
    ".local/share/pipx",
    ".local/share/mise",
    ".local/share/jupyter",
    ".pyenv",
    ".asdf",
    ".conda",
    ".mambaforge",
    "anaconda3",
    "miniconda3",
    "miniforge3",
    "mambaforge",
    "micromamba",
    ".virtualenvs",
    ".venvs",
    ".venv",
    "venv",
    "bin",
    "R",
    ".Rprofile",
    ".julia",
    ".juliaup",
    ".rustup",
    ".cargo/bin",
    ".nvm",
    ".rbenv",
    ".nix-profile",
    "go",
    ".sdkman",
    ".cache/torch",
    ".cache/huggingface",
    ".cache/uv",
    ".cache/fontconfig",
    ".cache/matplotlib",
    ".keras",
];

/// Where secrets lie in a home folder. They stay hidden even where the project is the home folder.
const SECRETS: &[&str] = &[
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".config",
    ".docker",
    ".kube",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".gitconfig",
    ".password-store",
    ".mozilla",
    ".thunderbird",
    ".pypirc",
    ".npmrc",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".huggingface",
    ".cache/huggingface/token",
    ".cache/huggingface/stored_tokens",
    ".local/share/keyrings",
    ".local/state",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".gsutil",
    ".boto",
];

/// Folders of the environment that a variable names.
const VARIABLES: &[&str] = &[
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_EXE",
    "PYENV_ROOT",
    "PYTHONHOME",
    "PYTHONPATH",
    "R_HOME",
    "R_LIBS",
    "R_LIBS_USER",
    "R_LIBS_SITE",
    "JULIA_DEPOT_PATH",
    "JULIA_PROJECT",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "CUDA_HOME",
    "CUDA_PATH",
    "HF_HOME",
    "TORCH_HOME",
    "NLTK_DATA",
];

/// Parts of the names of variables that hold secrets.
const SECRET_WORDS: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "ACCESS_KEY",
];

/// The home folder, if there is one.
#[must_use]
pub fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| home.is_absolute())
}

/// The variables of this process that a program does not get: their names say that they hold secrets.
#[must_use]
pub fn secret_variables() -> Vec<String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| is_secret(name)).collect()
}

fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

impl Access {
    /// Adds what the program `name` needs to run at all, and hides the secrets of the home folder.
    #[must_use]
    pub fn with_needs(mut self, name: &str) -> Self {
        self.readable.extend(SYSTEM.iter().map(PathBuf::from));
        self.writable.extend(DEVICES.iter().map(PathBuf::from).filter(|path| path.exists()));
        // Cards are numbered from 0.
        let cards = (0..64).map(|i| PathBuf::from(format!("/dev/nvidia{i}")));
        self.writable.extend(cards.take_while(|card| card.exists()));
        if let Some(home) = home() {
            self.hidden.extend(SECRETS.iter().map(|name| home.join(name)));
            self.readable.extend(IN_HOME.iter().map(|name| home.join(name)));
        }
        for variable in VARIABLES {
            let value = env::var_os(variable).unwrap_or_default();
            self.readable.extend(env::split_paths(&value).filter(|path| is_deep(path)));
        }
        let folders = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> =
            env::split_paths(&folders).filter(|path| path.is_absolute()).collect();
        let program = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        self.readable.extend(folders);
        let program = program.unwrap_or_else(|| PathBuf::from(name));
        self.readable.extend(environment_of(&program));
        self
    }
}

/// The environments of a program: of its path as it is named and as it is without links, the folder above
/// `bin`. That of a Python environment also names the one that it was made from.
fn environment_of(program: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let whole = program.canonicalize().ok();
    for path in [Some(program.to_owned()), whole].into_iter().flatten() {
        let Some(folder) = path.parent() else { continue };
        let Some(above) = folder.parent().filter(|above| is_deep(above)) else { continue };
        if folder.ends_with("bin")
            && (above.join("lib").exists() || above.join("pyvenv.cfg").exists())
        {
            found.push(above.to_owned());
        }
        let settings = std::fs::read_to_string(above.join("pyvenv.cfg")).unwrap_or_default();
        let bin = settings.lines().find_map(|line| line.strip_prefix("home = "));
        if let Some(base) = bin.and_then(|bin| Path::new(bin.trim()).parent())
            && is_deep(base)
        {
            found.push(base.to_owned());
        }
    }
    found
}

/// Whether a folder is no root of everything: neither `/`, nor a folder in it, nor a home folder or one
/// above it.
fn is_deep(path: &Path) -> bool {
    let is_home = home().is_some_and(|home| home.starts_with(path));
    path.is_absolute() && path.components().count() > 2 && !is_home
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in ["GITHUB_TOKEN", "aws_secret_access_key", "DB_PASSWORD", "OPENAI_API_KEY"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["PATH", "HOME", "OMP_NUM_THREADS", "KEYBOARD"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn no_environment_is_a_whole_home() {
        let home = home().unwrap();
        assert!(!is_deep(&home) && !is_deep(Path::new("/")) && !is_deep(Path::new("/data")));
        assert!(is_deep(&home.join("envs/a")) && is_deep(Path::new("/usr/local")));
    }

    #[test]
    fn a_python_environment_names_its_base() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        for name in ["env/bin", "env/lib", "base/bin", "base/lib"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let text = format!("home = {}\nversion = 3\n", folder.join("base/bin").display());
        std::fs::write(folder.join("env/pyvenv.cfg"), text).unwrap();
        std::fs::write(folder.join("env/bin/python"), "").unwrap();
        let found = environment_of(&folder.join("env/bin/python"));
        assert!(found.contains(&folder.join("env")) && found.contains(&folder.join("base")));
    }
}
