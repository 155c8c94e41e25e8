//! Compute devices for nets: the CPU of this machine, or a graphics card through burn.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A compute device for nets. Every device except the CPU needs the cargo feature of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// Our own kernels, and burn's `flex` backend for layers that they do not support. Bit-exact.
    #[default]
    Cpu,
    /// The first graphics card found through Vulkan, Metal or DirectX 12. Sums may be computed in a
    /// different order each time, so results are not bit-exact.
    #[cfg(feature = "wgpu")]
    Wgpu,
    /// The first NVIDIA card, through CUDA. Not bit-exact, like `wgpu`.
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Device {
    /// All device names, including those that are not built in.
    pub const NAMES: &'static [&'static str] = &["cpu", "wgpu", "cuda"];

    /// Returns the name, one of [`Device::NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            #[cfg(feature = "wgpu")]
            Self::Wgpu => "wgpu",
            #[cfg(feature = "cuda")]
            Self::Cuda => "cuda",
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Device {
    type Err = NoDevice;

    /// Reads a name and checks that this machine has such a device.
    fn from_str(name: &str) -> Result<Self, NoDevice> {
        let device = match name {
            "cpu" => Self::Cpu,
            #[cfg(feature = "wgpu")]
            "wgpu" => Self::Wgpu,
            #[cfg(feature = "cuda")]
            "cuda" => Self::Cuda,
            _ => {
                let known = Self::NAMES.iter().find(|known| **known == name);
                return Err(known
                    .map_or(NoDevice::Unknown { asked: name.into() }, |n| NoDevice::NotBuilt(n)));
            }
        };
        if super::net::has_device(device) { Ok(device) } else { Err(NoDevice::Absent(device)) }
    }
}

/// The reason why a device is not available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDevice {
    /// The name is unknown.
    #[error("device must be one of {}, found `{asked}`", Device::NAMES.join(", "))]
    Unknown {
        /// The requested name.
        asked: String,
    },
    /// The name is known, but its feature is off.
    #[error("built without the feature {0}: cargo build --release --features {0}")]
    NotBuilt(&'static str),
    /// The feature is on, but the machine has no such device or no driver for it.
    #[error("no `{0}` device found; is its driver installed?")]
    Absent(Device),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_by_name() {
        assert_eq!("cpu".parse(), Ok(Device::Cpu));
        assert_eq!(
            "gpu".parse::<Device>().unwrap_err().to_string(),
            "device must be one of cpu, wgpu, cuda, found `gpu`"
        );
    }

    #[test]
    #[cfg(not(feature = "wgpu"))]
    fn a_device_that_is_not_built_in_says_how_to_build_it() {
        assert_eq!(
            "wgpu".parse::<Device>().unwrap_err().to_string(),
            "built without the feature wgpu: cargo build --release --features wgpu"
        );
    }
}
