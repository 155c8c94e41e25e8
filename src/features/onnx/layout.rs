//! How a spectrogram or a waveform becomes the tensor that a net wants.

/// What a net is given of one segment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    /// Samples.
    Waveform { n_samples: usize },
    /// Frames of mel bands; or bands of frames.
    LogMel { n_frames: usize, n_mels: usize, are_bands_first: bool },
}

/// The tensor of one window.
#[derive(Debug, PartialEq)]
pub(super) struct Layout {
    /// Its shape, without unknown dimensions.
    pub(super) shape: Vec<usize>,
    /// Samples or frames of a window.
    pub(super) window: usize,
}

impl Given {
    /// The window of a net whose input has these dimensions, some of which may be left open. An open batch
    /// becomes 1, and an open time the whole segment.
    ///
    /// # Errors
    /// What the net wants and what it is given, to follow the name of the key.
    pub(super) fn layout(&self, input: &str, wanted: &[Option<usize>]) -> Result<Layout, String> {
        let refuse = |why: String| {
            let (wanted, given) = (shown(wanted), self.words());
            Err(format!("gives {given}, but the net wants {wanted} as `{input}`: {why}"))
        };
        let (n_steps, n_own_axes) = match self {
            Self::Waveform { n_samples } => (*n_samples, 1),
            Self::LogMel { n_frames, .. } => (*n_frames, 2),
        };
        if !(n_own_axes..=n_own_axes + 2).contains(&wanted.len()) {
            let (least, most) = (n_own_axes, n_own_axes + 2);
            return refuse(format!("expected {least} to {most} dimensions"));
        }
        let first = self.first_axis(wanted);
        let own = first..first + n_own_axes;
        let mut shape = vec![1; wanted.len()];
        for (axis, size) in wanted.iter().enumerate().filter(|(axis, _)| !own.contains(axis)) {
            if let Some(size) = size.filter(|size| *size != 1) {
                return refuse(format!("expected 1 as dimension {}, found {size}", axis + 1));
            }
        }
        let mut of_time = first;
        if let Self::LogMel { n_mels, are_bands_first, .. } = *self {
            let of_bands = first + usize::from(!are_bands_first);
            of_time = first + usize::from(are_bands_first);
            if wanted[of_bands].is_some_and(|size| size != n_mels) {
                let (number, other) = (of_bands + 1, !are_bands_first);
                return refuse(format!(
                    "expected {n_mels} bands as dimension {number}; set n_mels, or bands_first = {other}"
                ));
            }
            shape[of_bands] = n_mels;
        }
        let window = wanted[of_time].unwrap_or(n_steps);
        if window > n_steps {
            return refuse("use longer segments".to_owned());
        }
        shape[of_time] = window;
        if shape.contains(&0) {
            return refuse("a window would be empty".to_owned());
        }
        Ok(Layout { shape, window })
    }

    /// The axis of the samples, or the first of frames and bands: they come last, unless the net has a last
    /// axis of one channel.
    fn first_axis(&self, wanted: &[Option<usize>]) -> usize {
        let (n_own_axes, rank) =
            (if let Self::Waveform { .. } = self { 1 } else { 2 }, wanted.len());
        let is_channel_last =
            rank == n_own_axes + 2 && wanted[rank - 1] == Some(1) && wanted[1] != Some(1);
        rank - n_own_axes - usize::from(is_channel_last)
    }

    fn words(&self) -> String {
        match self {
            Self::Waveform { n_samples } => format!("{n_samples} samples of a segment"),
            Self::LogMel { n_frames, n_mels, are_bands_first: false } => {
                format!("{n_frames} frames of {n_mels} bands of a segment")
            }
            Self::LogMel { n_frames, n_mels, are_bands_first: true } => {
                format!("{n_mels} bands of {n_frames} frames of a segment")
            }
        }
    }
}

/// `[1, 96, ?]`.
fn shown(dimensions: &[Option<usize>]) -> String {
    let each = dimensions.iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string()));
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(given: &Given, wanted: &[usize]) -> Result<(Vec<usize>, usize), String> {
        // 0 stands for an open dimension.
        let wanted: Vec<Option<usize>> =
            wanted.iter().map(|size| Some(*size).filter(|size| *size > 0)).collect();
        given.layout("x", &wanted).map(|layout| (layout.shape, layout.window))
    }

    #[test]
    fn open_dimensions_are_one_example_and_the_whole_segment() {
        let waveform = Given::Waveform { n_samples: 48_000 };
        assert_eq!(layout(&waveform, &[0]), Ok((vec![48_000], 48_000)));
        assert_eq!(layout(&waveform, &[0, 16_000]), Ok((vec![1, 16_000], 16_000)));
        assert_eq!(layout(&waveform, &[0, 1, 0]), Ok((vec![1, 1, 48_000], 48_000)));
        assert_eq!(layout(&waveform, &[0, 0, 1]), Ok((vec![1, 48_000, 1], 48_000)));
        let log_mel = Given::LogMel { n_frames: 188, n_mels: 96, are_bands_first: false };
        assert_eq!(layout(&log_mel, &[187, 96]), Ok((vec![187, 96], 187)));
        assert_eq!(layout(&log_mel, &[0, 0, 96]), Ok((vec![1, 188, 96], 188)));
        assert_eq!(layout(&log_mel, &[0, 1, 187, 0]), Ok((vec![1, 1, 187, 96], 187)));
        assert_eq!(layout(&log_mel, &[0, 187, 96, 1]), Ok((vec![1, 187, 96, 1], 187)));
        let bands_first = Given::LogMel { n_frames: 188, n_mels: 96, are_bands_first: true };
        assert_eq!(layout(&bands_first, &[1, 96, 0]), Ok((vec![1, 96, 188], 188)));
    }

    #[test]
    fn what_does_not_fit_is_told_with_both_shapes() {
        let log_mel = Given::LogMel { n_frames: 63, n_mels: 96, are_bands_first: false };
        let said = |wanted: &[usize]| layout(&log_mel, wanted).unwrap_err();
        assert_eq!(
            said(&[0, 187, 96]),
            "gives 63 frames of 96 bands of a segment, but the net wants [?, 187, 96] as `x`: use longer segments"
        );
        assert!(
            said(&[0, 128, 63])
                .ends_with("expected 96 bands as dimension 3; set n_mels, or bands_first = true")
        );
        assert!(said(&[4, 63, 96]).ends_with("expected 1 as dimension 1, found 4"));
        assert!(said(&[0]).ends_with("expected 2 to 4 dimensions"));
        assert!(said(&[1, 1, 1, 63, 96]).ends_with("expected 2 to 4 dimensions"));
        let empty = Given::Waveform { n_samples: 0 };
        assert!(layout(&empty, &[0, 0]).unwrap_err().ends_with("a window would be empty"));
    }
}
