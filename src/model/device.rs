//! Where nets are computed: this machine's CPU, or a device that burn computes on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where nets are computed. Each but the CPU is built in by the cargo feature of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// Our own kernels, and burn's `flex` for what they do not know. The same bits every time.
    #[default]
    Cpu,
    /// The first graphics card found by Vulkan, Metal or DirectX 12. Sums may be taken in another
    /// order every time, so that bits differ.
    #[cfg(feature = "wgpu")]
    Wgpu,
    /// The first NVIDIA card, by CUDA. Bits differ as with `wgpu`.
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Device {
    /// All device names, built in or not.
    pub const NAMES: &'static [&'static str] = &["cpu", "wgpu", "cuda"];

    /// The name, one of [`Device::NAMES`].
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

    /// Reads a name and makes sure that this machine has such a device.
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

/// Why a device can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDevice {
    /// No such name.
    #[error("device must be one of {}, found `{asked}`", Device::NAMES.join(", "))]
    Unknown {
        /// What was asked for.
        asked: String,
    },
    /// The name is known, its feature is off.
    #[error("built without the feature {0}: cargo build --release --features {0}")]
    NotBuilt(&'static str),
    /// The feature is on, the machine has no such device or no driver for it.
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
