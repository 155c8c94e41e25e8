//! The arguments of `runs` and `gc`.

use clap::{Args, Subcommand};

/// `runs` alone lists; its subcommands manage.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Runs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// List only runs that match, e.g. 'accuracy > 0.8 and dataset = "gtzan"'
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// Fields to sort by; with - before the name in descending order, e.g. -accuracy
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub sort: Vec<String>,
    /// Fields to show; all shows every field [default: id,state,accuracy,started,seconds,tags]
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Print CSV with all digits
    #[arg(long)]
    pub csv: bool,
    /// List archived runs too
    #[arg(long)]
    pub archived: bool,
}

#[derive(Subcommand)]
pub(super) enum RunsCommand {
    /// Show every field of runs
    Show(Ids),
    /// Add and remove tags
    Tag {
        #[command(flatten)]
        ids: Ids,
        /// Tags to add
        #[arg(
            long,
            value_name = "TAG,...",
            value_delimiter = ',',
            required_unless_present = "remove"
        )]
        add: Vec<String>,
        /// Tags to remove
        #[arg(long, value_name = "TAG,...", value_delimiter = ',')]
        remove: Vec<String>,
    },
    /// Write a note; an empty text removes it
    Note {
        #[command(flatten)]
        ids: Ids,
        /// The note
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Hide runs from lists and from the page
    Archive(Ids),
    /// Move runs into the trash, which encore gc empties
    Remove(Ids),
    /// Bring archived and removed runs back
    Restore(Ids),
}

#[derive(Args)]
pub(super) struct Ids {
    /// Run ids, or their first characters
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
}

#[derive(Args)]
pub(super) struct Gc {
    /// List what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Delete without asking
    #[arg(long)]
    pub yes: bool,
}
