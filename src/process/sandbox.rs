//! Restricts this process, and all that it starts from now on, by Landlock.

use landlock::{
    ABI, Access as _, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::access::Access;

/// The rights that are asked for; older kernels enforce those that they know.
const KNOWN: ABI = ABI::V6;

/// Takes away the right to send signals to processes outside, the supervisor included. Older kernels do
/// not know this.
pub(super) fn keep_signals_inside() {
    let scope = Ruleset::default().scope(Scope::Signal).and_then(Ruleset::create);
    // The supervisor's process sees it if it is killed.
    let _ = scope.and_then(landlock::RulesetCreated::restrict_self);
}

/// Takes away access to everything that is not allowed. Returns why that is not enforced, or nothing if
/// it is. It can't be undone.
pub(super) fn restrict(access: &Access) -> Option<String> {
    if !access.is_enforced {
        return Some("it was switched off".to_owned());
    }
    let restricted = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?
            .add_rules(path_beneath_rules(access.allowed(), AccessFs::from_read(KNOWN)))?
            .add_rules(path_beneath_rules(&access.writable, AccessFs::from_all(KNOWN)))?
            .restrict_self()
    };
    match restricted() {
        Ok(status) if status.ruleset != RulesetStatus::NotEnforced => None,
        Ok(_) => Some("this kernel has no Landlock".to_owned()),
        Err(error) => Some(format!("Landlock failed: {error}")),
    }
}
